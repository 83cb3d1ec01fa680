"""Learning a flow from measured states: which loss, on which windows, and its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

import pandas as pd
import torch

from physlearn.forecasting.smoothed import Smoothed
from physlearn.models import Model
from physlearn.models.units import Units
from physlearn.training.refine import refine
from physlearn.training.state_losses import ShootingLoss, StateLoss, StepLoss, WeakLoss
from physlearn.training.windows import Windows
from systems import InputError, Orbit
from systems.periodic import shortest

LossName = Literal["derivative", "step", "shooting", "weak"]

CLEAN = 1e-3  # noise, relative to the spread, below which a step between neighbours is best
DENSE = 40  # positions per turn above which steps from derived velocities are as good as learned ones, and cheaper
PER_TURN = 10  # steps into which noisy states divide a turn
TURN = 6.3  # longest step between states, in units of the time scale: about one turn
LEAST = 8  # steps of a window of the weak form
EPOCHS = 10  # passes by Adam
POLISH = 100  # steps of L-BFGS
BATCH, LEARNING_RATE = 500, 2e-3


@dataclass(frozen=True)
class Choice:
    """A loss, and why it was chosen.

    Parameters
    ----------
    name : str
        The loss.
    why : str
        The reason, as a clause.
    """

    name: LossName
    why: str


def choose(loss: str | None, model: str, baseline: bool, smoothed: Smoothed | None) -> Choice:
    """Return the loss that is asked for, or the one that suits the data; ``smoothed`` is None if the orbits have rates.

    Raises InputError for an unknown name, and for a loss of states if the model is a baseline.
    """
    if loss is not None:
        if loss not in get_args(LossName):
            raise InputError(f"loss must be one of {', '.join(get_args(LossName))}, not {loss!r}")
        if baseline and loss != "derivative":
            raise InputError(f"the baseline {model} is fitted to rates in one step: use loss='derivative', not {loss!r}")
        return Choice(cast(LossName, loss), "it was asked for")
    if smoothed is None:
        return Choice("derivative", "the orbits have rates")
    told = f"the orbits have no rates and {smoothed.per_turn:.3g} states per turn"
    if baseline:
        return Choice("derivative", f"{told}, and a baseline is fitted to rates, which a spline derives")
    if smoothed.has_derived and smoothed.per_turn < DENSE:
        return Choice("shooting", f"{told}, and their velocities were not measured")
    return Choice("step", told)


@dataclass(frozen=True)
class StateTraining:
    """The training of a model, which has learned smoothed rates before, on a loss of states.

    Parameters
    ----------
    name : str
        The loss.
    model : Model
        The model, in its own units.
    units : Units
        These units.
    angles : mapping of str to float
        Periods of the coordinates whose number of turns does not matter.
    """

    name: LossName
    model: Model
    units: Units
    angles: Mapping[str, float]

    def run(
        self, data: Smoothed, validation: Smoothed | None, *, polish: int | None, seed: int, progress: bool
    ) -> tuple[str, pd.DataFrame, list[float]]:
        """Train the model, which becomes float64; return how the loss integrates, the history, and the noise of the data.

        The noise is that of the smoothed data, or else of what the model does not explain, in the units of the data.
        """
        self.model.double().requires_grad_(True)
        loss = self._loss(self.name, data)
        other = None
        if validation is not None:  # shooting has no initial states for other data
            other = self._loss("step" if self.name == "shooting" else self.name, validation)
            other.weights = loss.weights
        history = refine(
            loss,
            other,
            epochs=EPOCHS,
            polish=POLISH if polish is None else polish,
            batch_size=min(BATCH, max(1, len(loss) // 4)),
            learning_rate=LEARNING_RATE,
            seed=seed,
            progress=progress,
        )
        left = loss.noise() * self.units.scale[: self.units.dim]
        known = torch.from_numpy(data.noise)
        return loss.method, history, torch.where(known.isfinite(), known, left).tolist()

    def _loss(self, name: str, data: Smoothed) -> StateLoss:
        if name == "step":
            stride = max(1, round(data.per_turn / PER_TURN)) if data.relative_noise > CLEAN else 1
            return StepLoss(self.model, self.units, self._windows(data, min(stride, _most(data, data.derived))))
        if name == "weak":
            length = max(LEAST, round(data.per_turn / 2))
            return WeakLoss(self.model, self.units, self._windows(data, length, every=max(1, length // 4)))
        length = min(max(2, round(data.per_turn)), _most(data, data.orbits))
        windows = self._windows(data, length, everywhere=True)
        start = self._settled(Windows.of(data.orbits, length))
        return ShootingLoss(self.model, self.units, windows, start.z[:, 0])

    def _windows(self, data: Smoothed, length: int, every: int | None = None, *, everywhere: bool = False) -> Windows:
        """Return windows of measured states, with smoothed ones for derived velocities or for all that was not measured."""
        estimates = data.orbits if everywhere else data.derived
        return self._settled(Windows.of(data.measured, length, every=every, estimates=estimates))

    def _settled(self, windows: Windows) -> Windows:
        """Return the windows without gaps, whose angles begin within the turn of the training data."""
        windows = windows.within(TURN * float(self.units.time))
        away = windows.z[:, 0] - self.units.center[: self.units.dim]
        turns = away - shortest(away, self.angles, windows.runs[0].coordinates)
        return replace(windows, z=windows.z - turns.unsqueeze(1))


def _most(data: Smoothed, estimates: Sequence[Orbit]) -> int:
    """Return the largest number of steps of an orbit between times at which each coordinate is measured or estimated."""
    known = [(one.measured | other.measured).all(-1) for one, other in zip(data.measured, estimates, strict=True)]
    return max(1, *(int(each.sum()) - 1 for each in known))
