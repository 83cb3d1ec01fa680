"""Learning a flow from measured states: which loss, on which windows, and its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, cast, get_args

import numpy as np
import pandas as pd
import torch

from physlearn.forecasting.smoothed import Smoothed
from physlearn.models import Model
from physlearn.models.baselines import LinearModel
from physlearn.models.informed import InUnits, Prior, all_moving
from physlearn.models.library_model import LibraryModel
from physlearn.models.units import Units
from physlearn.training.course import Course, Watch
from physlearn.training.flow_errors import in_closed_form
from physlearn.training.flow_fit import Horizon, fit_flow
from physlearn.training.loss import RateLoss
from physlearn.training.refine import refine
from physlearn.training.state_losses import ShootingLoss, StateLoss, StepLoss, WeakLoss
from physlearn.training.windows import Windows
from systems import InputError, Orbit
from systems.periodic import shortest

if TYPE_CHECKING:
    from physlearn.forecasting.fitting import Effort

LossName = Literal["derivative", "step", "shooting", "weak"]

CLEAN = 1e-3  # noise, relative to the spread, below which a step between neighbours is best
DENSE = 12  # positions per turn above which steps from derived velocities are as good as learned ones, and cheaper
PER_TURN = 10  # steps into which noisy states divide a turn
TURN = 6.3  # longest step between states, in units of the time scale: about one turn
LEAST = 8  # steps of a window of the weak form
EPOCHS = 10  # passes by Adam
POLISH = 100  # steps of L-BFGS
STEPS = 10  # of Levenberg-Marquardt, on each length of the windows
MOST_TURNS = 4  # length of the longest windows
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

    name: LossName | Literal["own", "increment"]
    why: str

    @property
    def on_rates(self) -> bool:
        """Whether rates are compared, and not states."""
        return self.name in ("derivative", "own")


def check_name(loss: str) -> None:
    """Raise InputError unless a loss has this name."""
    if loss not in get_args(LossName):
        raise InputError(f"loss must be one of {', '.join(get_args(LossName))} or a function, not {loss!r}")


def choose(loss: str | RateLoss | None, model: type[Model], smoothed: Smoothed | None, closed: bool) -> Choice:
    """Return the loss that is asked for, or the one that suits the data; ``smoothed`` is None if the orbits have rates.

    ``closed`` says whether the flow of the model has derivatives in closed form, by which shooting is fast.

    Raises InputError for an unknown name, and for a loss that the model cannot be fitted to.
    """
    library = issubclass(model, LibraryModel)
    if (
        smoothed is not None
        and smoothed.short
        and (callable(loss) or loss == "derivative" or (model.baseline and not library))
    ):
        if issubclass(model, LinearModel) and not callable(loss):
            return Choice("derivative", "the orbits have no rates, and those of the linear flow with their steps were used")
        raise InputError(
            f"the model {model.name} would be fitted to rates, but the orbits have none, and two or three states per orbit "
            f"are too few to derive them: give rates, longer orbits, or {_instead(model)}"
        )
    if callable(loss):
        if model.baseline:
            raise InputError(f"the baseline {model.name} is fitted by least squares: use a network for a loss of your own")
        return Choice("own", f"the function {getattr(loss, '__name__', type(loss).__name__)} was given")
    if loss is not None:
        check_name(loss)
        if library and loss not in ("derivative", "shooting"):
            raise InputError(
                f"the model {model.name} is linear in its coefficients, which are fitted to rates or by shooting: use "
                f"loss='derivative' or loss='shooting', not {loss!r}"
            )
        if model.baseline and not library and loss != "derivative":
            raise InputError(f"the baseline {model.name} is fitted to rates in one step: use loss='derivative', not {loss!r}")
        return Choice(cast(LossName, loss), "it was asked for")
    if smoothed is None:
        return Choice("derivative", "the orbits have rates")
    told = f"the orbits have no rates and {smoothed.per_turn:.3g} states per turn"
    if library:
        return Choice("shooting", told)
    if model.baseline:
        return Choice("derivative", f"{told}, and a baseline is fitted to rates, which a spline derives")
    if smoothed.has_derived and smoothed.per_turn < DENSE:
        return Choice("shooting", f"{told}, and their velocities were not measured")
    if closed and not smoothed.has_derived:
        return Choice("shooting", f"{told}, and orbits over many of them average the noise")
    if smoothed.has_derived:
        return Choice("step", f"{told}, from which their velocities were derived")
    return Choice("step", told)


def _instead(model: type[Model]) -> str:
    """Return what suits orbits that are too short to derive rates from them."""
    if issubclass(model, LibraryModel):
        return "loss='shooting'"
    if model.baseline:
        return f"the model {'polynomial-hamiltonian' if model.structure == 'canonical' else 'polynomial'!r}"
    return "loss='step'"


def again(loss: str) -> LossName:
    """Return the loss of the training that is resumed, which files of earlier versions do not tell, as it compared rates.

    Raises InputError for a function, which nothing keeps.
    """
    if not loss:
        return "derivative"
    if loss not in get_args(LossName):
        raise InputError("the training that is resumed had a loss of your own: give it again, or loss='derivative'")
    return cast(LossName, loss)


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
    prior : Prior
        What is known beforehand.
    """

    name: str
    model: Model
    units: Units
    angles: Mapping[str, float]
    prior: Prior = field(default_factory=Prior)

    def run(
        self, data: Smoothed, validation: Smoothed | None, effort: Effort, seed: int, course: Course
    ) -> tuple[str, pd.DataFrame, list[float]]:
        """Train the model, which becomes float64; return how the loss integrates, the history, and the noise of the data.

        The noise is that of the smoothed data, or else of what the model does not explain, in the units of the data.
        """
        self.model.double().requires_grad_(True)
        how, polish = effort.training, effort.polish
        course = replace(course, watch=self._watched(course))
        whole = not data.has_derived and any(int(one.measured.all(-1).sum()) > 1 for one in data.measured)
        if polish != 0 and self.name != "weak" and whole and closed_form(self.model, self.prior, effort):
            steps = STEPS if polish is None else polish
            horizons = self._horizons(data, validation)
            history, loss = fit_flow(self.model, self.units, horizons, steps=steps, progress=effort.progress, course=course)
            return f"{loss.method}, Levenberg-Marquardt", history, self._noise(loss, data)
        loss, other = self._loss(self.name, data), None
        if validation is not None:  # shooting has no initial states for other data
            other = self._loss("step" if self.name == "shooting" else self.name, validation)
            other.weights = loss.weights
        if polish is None:
            polish = 0 if how.weight_decay else POLISH
        history = refine(
            loss,
            other,
            epochs=EPOCHS,
            polish=polish,
            batch_size=min(BATCH, max(1, len(loss) // 4)),
            learning_rate=LEARNING_RATE,
            seed=seed,
            progress=effort.progress,
            clip=1.0 if how.clip is None else how.clip,
            weight_decay=how.weight_decay,
            course=course,
        )
        return loss.method, history, self._noise(loss, data)

    def _noise(self, loss: StateLoss, data: Smoothed) -> list[float]:
        left = loss.noise() * self.units.scale[: self.units.dim]
        known = torch.from_numpy(data.noise)
        return torch.where(known.isfinite(), known, left).tolist()

    def _horizons(self, data: Smoothed, validation: Smoothed | None) -> list[Horizon]:
        """Return windows of one length for the step loss, or else of lengths that double up to some turns."""
        if self.name == "step":
            return [self._horizon(data, _stride(data), validation)]
        most = int(max(1, min(_most(data, data.derived), MOST_TURNS * data.per_turn)))
        first = 1 if np.isnan(data.relative_noise) else max(2, round(min(most, data.per_turn) / 2))
        found: list[Horizon] = []
        for length in [*(first << k for k in range(most.bit_length()) if first << k < most), most]:
            try:
                found.append(self._horizon(data, length, validation))
            except InputError:  # no window of this length is without a gap
                continue
        while not found:
            try:
                found.append(self._horizon(data, first, validation))
            except InputError:
                if first == 1:
                    raise
                first //= 2
        return found

    def _horizon(self, data: Smoothed, length: int, validation: Smoothed | None = None) -> Horizon:
        windows, start = self._windows(data, length), None
        if self.name == "shooting" and length > 1:
            start = self._settled(Windows.of(data.where_measured, length)).z[:, 0]
        enough = validation is not None and _most(validation, validation.derived) >= length
        return Horizon(windows, start, self._horizon(validation, length) if validation is not None and enough else None)

    def _watched(self, course: Course) -> Watch | None:
        """Return the watch of the network, which is inside of the model whose loss is trained if something is known."""
        watch = course.watch
        return None if watch is None else lambda row, _: watch(row, [self.model])

    def _loss(self, name: str, data: Smoothed) -> StateLoss:
        model, units = self.model, self.units
        if self.prior:  # the loss is of the whole flow, of which the model is a part
            model, units = InUnits(self.prior.completed(model, units)), all_moving(units)
        if name == "step":
            return StepLoss(model, units, self._windows(data, _stride(data)))
        if name == "weak":
            length = max(LEAST, round(data.per_turn / 2))
            return WeakLoss(model, units, self._windows(data, length, every=max(1, length // 4)))
        length = round(min(max(2, data.per_turn), _most(data, data.orbits)))
        windows = self._windows(data, length, everywhere=True)
        start = self._settled(Windows.of(data.orbits, length))
        return ShootingLoss(model, units, windows, start.z[:, 0])

    def _windows(self, data: Smoothed, length: int, every: int | None = None, *, everywhere: bool = False) -> Windows:
        """Return windows of measured states, with smoothed ones for derived velocities or for all that was not measured."""
        estimates = data.orbits if everywhere else data.derived
        return self._settled(Windows.of(data.measured, length, every=every, estimates=estimates))

    def _settled(self, windows: Windows) -> Windows:
        """Return the windows without gaps, whose angles begin within the turn of the training data."""
        usual = float(windows.t.diff().abs().median())  # the unit of time of states that are far apart is uncertain
        windows = windows.within(max(TURN * float(self.units.time), 1.01 * usual))
        away = windows.z[:, 0] - self.units.center[: self.units.dim]
        turns = away - shortest(away, self.angles, windows.runs[0].coordinates)
        return replace(windows, z=windows.z - turns.unsqueeze(1))


def closed_form(model: Model, prior: Prior, effort: Effort) -> bool:
    """Return whether states are learned by normal equations: not with a known part or weight decay, which these leave out."""
    return not prior and not effort.training.weight_decay and in_closed_form(model)


def _stride(data: Smoothed) -> int:
    """Return the number of steps from one state to another that the step loss compares it with."""
    noisy = data.relative_noise > CLEAN  # not if it is unknown
    return min(max(1, round(data.per_turn / PER_TURN)), _most(data, data.derived)) if noisy else 1


def _most(data: Smoothed, estimates: Sequence[Orbit]) -> int:
    """Return the largest number of steps of an orbit between times at which each coordinate is measured or estimated."""
    known = [(one.measured | other.measured).all(-1) for one, other in zip(data.measured, estimates, strict=True)]
    return max(1, *(int(each.sum()) - 1 for each in known))
