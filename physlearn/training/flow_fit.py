"""Training of a flow on windows of states by the Levenberg-Marquardt method, over a horizon that grows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.models import Model
from physlearn.models.units import Units
from physlearn.training import levenberg_marquardt
from physlearn.training.course import NEW, Course
from physlearn.training.flow_errors import FlowErrors
from physlearn.training.polish_losses import put, weights_of
from physlearn.training.state_losses import ShootingLoss, StateLoss, StepLoss
from physlearn.training.windows import Windows
from systems import IntegrationError

PATIENCE = 4  # steps without a smaller loss on held-out windows after which a horizon ends
FITS = 1.2  # increase of the misfit over that of the best horizon with which the horizon grows further at once
HELD = 10  # one of so many windows is held out
FEWEST = 20  # windows; of fewer, none is held out

Place = tuple[int, float]  # of a window: the number of its run, and its first time


@dataclass(frozen=True, eq=False)
class Horizon:
    """Windows of one length.

    Parameters
    ----------
    windows : Windows
        The windows, in the units of the data.
    start : shape ``(W, D)``, optional
        Where the search for the first states of the windows begins; None if the measured ones are taken as exact.
    held : Horizon, optional
        Windows of validation data.
    """

    windows: Windows
    start: Float[Tensor, "W D"] | None
    held: Horizon | None = None

    def losses(self, model: Model, units: Units, known: Mapping[Place, Tensor]) -> list[StateLoss]:
        """Return the loss of a model on the windows it learns from, and that on windows that are held out, if there are any.

        The latter are those of validation data, or else the last tenth of the windows. First states that are known replace
        those from which the search would begin.
        """
        if self.held is not None:
            return [one._loss(model, units, known, slice(None)) for one in (self, self.held)]
        count = len(self.windows)
        seen = count - (count // HELD if count >= FEWEST else 0)
        return [self._loss(model, units, known, part) for part in (slice(seen), slice(seen, count)) if part.start != count]

    def _loss(self, model: Model, units: Units, known: Mapping[Place, Tensor], rows: slice) -> StateLoss:
        windows = self.windows.among(rows)
        if self.start is None:
            return StepLoss(model, units, windows)
        start = [known.get(place, first) for place, first in zip(_places(windows), self.start[rows], strict=True)]
        return ShootingLoss(model, units, windows, torch.stack(start))


def fit_flow(
    model: Model, units: Units, horizons: Sequence[Horizon], *, steps: int, progress: bool, course: Course = NEW
) -> tuple[pd.DataFrame, StateLoss]:
    """Train a model in place on longer and longer windows.

    Short windows are learned first, because over long ones the loss of a wrong flow has many local minima. The windows of
    validation data, or else the last tenth of the windows, are held out: their first states are learned, but the weights do
    not learn from them. Of each horizon, the weights with the smallest typical loss on them are kept. Of these, the model
    finally has those that fit the longest windows best, so that it does not matter if the horizon grows too long.

    Parameters
    ----------
    model
        The model in float64, whose networks have one hidden layer.
    units
        The units of the model.
    horizons
        Windows, from short to long.
    steps
        Largest number of steps on each horizon.
    progress
        Whether to show a progress bar.
    course
        Who watches the training.

    Returns
    -------
    history : DataFrame, one row per step up to the last horizon from which the model has learned
        ``learning_rate`` (NaN), ``horizon`` (number of steps of a window), ``training`` and, if windows are held out,
        ``validation``: the losses.
    loss : StateLoss
        The loss on the last horizon from which the model has learned.

    Raises
    ------
    IntegrationError
        If the loss is not finite.
    """
    rows: list[dict[str, float]] = []
    known: dict[Place, Tensor] = {}
    candidates: list[tuple[np.ndarray, StateLoss, int]] = []
    misfit, shares = math.inf, None
    with tqdm(total=steps * len(horizons), disable=not progress, desc=f"training {model.name}", leave=False) as bar:
        for horizon in horizons:
            losses = horizon.losses(model, units, known)
            shares = losses[0].weights if shares is None else shares
            for loss in losses:
                loss.weights = shares
            points = losses[0].t.shape[1]
            free = 1.0 if horizon.start is None else 1 - 1 / points  # the part of the noise that is left after a fit
            enough = 0.0 if horizon is horizons[0] or horizon is horizons[-1] else FITS * misfit * free
            errors = [FlowErrors(loss) for loss in losses]
            weights = errors[0].arranged(weights_of(model))
            if not math.isfinite(errors[0].loss(weights)):
                if candidates:
                    break
                raise IntegrationError(
                    "the loss is not finite, because the states are too far apart or too noisy: measure more often, or use "
                    "loss='derivative'"
                )

            def watched(row: dict[str, float], weights: np.ndarray, points: int = points, one: FlowErrors = errors[0]) -> bool:
                rows.append({"learning_rate": math.nan, "horizon": points - 1, **row})
                put(model, one.given_back(weights))
                return course.ended_by(rows[-1], [model])

            kept, reached, ended = _descended(errors, weights, steps, enough, watched)
            bar.update(steps)
            put(model, errors[0].given_back(kept))
            misfit = min(misfit, reached / free)
            candidates.append((kept, losses[0], len(rows)))
            longest = errors[0]
            for loss, one in zip(losses if horizon.held is None else losses[:1], errors, strict=False):
                if isinstance(loss, ShootingLoss):
                    loss.start.data = torch.from_numpy(one.start)
                    known |= zip(_places(loss.windows), loss.first, strict=True)
            if ended:
                break
    starts = (longest.start, longest.z[:, 0])
    weights, loss, end = min(candidates, key=lambda one: min(longest.settled(one[0], start) for start in starts))
    put(model, longest.given_back(weights))
    return pd.DataFrame(rows[:end]).rename_axis("epoch"), loss


def last_horizon(history: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the last horizon of a history, without losses that were not computed on it; or the whole history."""
    if "horizon" not in history:
        return history
    return history[history["horizon"] == history["horizon"].iloc[-1]].dropna(axis=1, how="all")


def _descended(
    errors: Sequence[FlowErrors],
    weights: np.ndarray,
    steps: int,
    enough: float,
    watched: Callable[[dict[str, float], np.ndarray], bool],
) -> tuple[np.ndarray, float, bool]:
    """Return the weights after the best step, their loss, and whether the watch ended the training.

    The best step is that with the smallest typical loss on the windows that are held out. The descent ends early if it makes
    no progress, or if the loss is small enough. First states change in place.
    """
    seen, check = errors[0], errors[-1]
    kept, reached, best, last, ended = weights, seen.loss(weights), math.inf, 0, False
    starts = [one.tried for one in errors]
    for step, moved in enumerate(levenberg_marquardt.descend(seen, weights, steps), 1):
        row, now = {"training": seen.loss(moved)}, check.typical(moved)
        if now < best:
            kept, best, last, reached, starts = moved, now, step, row["training"], [one.tried for one in errors]
        if check is not seen:
            row["validation"] = now
            check.adopt()
        ended = watched(row, moved)
        if ended or step - last >= PATIENCE or row["training"] < enough:
            break
    for one, start in zip(errors, starts, strict=True):
        one.start = start
    return kept, reached, ended


def _places(windows: Windows) -> list[Place]:
    """Return the run and the time at which each window begins."""
    return list(zip(windows.run.tolist(), windows.t[:, 0].tolist(), strict=True))
