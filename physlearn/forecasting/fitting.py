"""The training of a forecaster: its data, its loss, and one or several networks."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import pandas as pd
import torch

from physlearn.forecasting import angles as turning
from physlearn.forecasting.learning_data import LearningData, cast_to
from physlearn.forecasting.library_training import LibraryTraining
from physlearn.forecasting.smoothed import Measured
from physlearn.forecasting.state_losses import Choice, StateTraining, choose, closed_form
from physlearn.models import Learner, Model
from physlearn.models.baselines import LeastSquaresModel, LinearModel
from physlearn.models.build import structure_of
from physlearn.models.informed import Prior
from physlearn.models.library_model import LibraryModel
from physlearn.models.physical import PhysicalModel
from physlearn.models.registry import find
from physlearn.models.units import Units
from physlearn.training import Pairs, Training
from physlearn.training.course import Course
from physlearn.training.driven import DrivenOrbit
from physlearn.training.ensemble import train_members
from physlearn.training.flow_fit import last_horizon
from physlearn.training.loss import RateLoss
from physlearn.training.polish import default_steps, polish
from physlearn.training.propagator import linear_rates
from systems import InputError, Orbit
from systems.scalars import whole

SAME, ALIKE = 0.01, 0.5  # largest error of velocities relative to exact rates, and to those of splines

Precision = tuple[torch.device, torch.dtype]
Build = Callable[[tuple[str, ...], Mapping[str, float], Units, int], Model]


@dataclass(frozen=True)
class Effort:
    """How a forecaster trains.

    Parameters
    ----------
    training : Training
        Settings of the training on rates.
    loss : str or callable, optional
        The loss that is asked for: a name, or a function of predicted and true rates.
    polish : int, optional
        Largest number of steps of the polish; None for the default number.
    seed, members : int
        Seed of the first network, and number of networks.
    progress : bool
        Whether to show progress bars.
    watch : callable, optional
        Called after each epoch and each step of the polish with what has been learned; the training ends if it returns True.
    """

    training: Training
    loss: str | RateLoss | None
    polish: int | None
    seed: int
    members: int
    progress: bool
    watch: Callable[[Learned], bool] | None = None

    def __post_init__(self) -> None:
        if self.polish is not None:
            object.__setattr__(self, "polish", whole("polish", self.polish))
            if self.polish < 0:
                raise InputError(f"polish must be a number of steps, at least 0, not {self.polish}")


@dataclass(frozen=True)
class Task:
    """What is learned.

    Parameters
    ----------
    name
        Name of the model.
    build
        Returns a network for coordinates, their periods, units and a seed.
    angles
        Coordinates that are treated as angles.
    prior
        What is known beforehand.
    precision
        Device and type of the training.
    earlier
        The result of the training that this one resumes.
    """

    name: str
    build: Build
    angles: turning.Choice
    prior: Prior
    precision: Precision
    earlier: Learned | None = None


@dataclass(frozen=True)
class Learned:
    """The result of a training.

    Parameters
    ----------
    models : list of PhysicalModel
        The networks, of which the first has the smallest loss.
    history : DataFrame
        History of the first.
    coordinates, periods
        Those of the data.
    choice : Choice
        The loss, and why.
    method : str
        How a loss of states integrates.
    noise : dict of str to float
        Estimated noise of each coordinate, if the data have been smoothed.
    """

    models: list[PhysicalModel]
    history: pd.DataFrame
    coordinates: tuple[str, ...]
    periods: Mapping[str, float]
    choice: Choice
    method: str = ""
    noise: dict[str, float] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """The number of passes over the data, without the steps of a polish."""
        return int(self.history["learning_rate"].notna().sum()) if len(self.history) else 0

    def check_resumed_by(self, data: LearningData) -> None:
        """Raise InputError if a training on the data, which have other coordinates or periods, cannot resume this one."""
        coordinates = data.pairs.coordinates
        if (coordinates, data.periods) != (self.coordinates, self.periods):
            raise InputError(
                f"the forecaster was trained on {_told(self.coordinates, self.periods)}, so a training on "
                f"{_told(coordinates, data.periods)} cannot resume it: give orbits of the same coordinates"
            )


def learn(task: Task, seen: Measured, held: Measured | None, effort: Effort) -> Learned:
    """Train networks on orbits.

    Parameters
    ----------
    task
        What is learned.
    seen, held
        Training and validation data.
    effort
        How to train.
    """
    smoothed = None if seen.have_rates else seen.smoothed
    data = LearningData.of(_with_rates(task, seen), None if held is None else held.with_rates)
    coordinates, earlier = data.pairs.coordinates, task.earlier
    if earlier is not None:
        earlier.check_resumed_by(data)
    task.prior.check(find(task.name), coordinates, data.pairs.z)
    if (structure := structure_of(task.name, len(coordinates))) == "lagrangian":
        data.check_velocities(task.name, SAME if smoothed is None else ALIKE)
    data = data.changed(task.prior.to_learn)
    chosen = turning.chosen(task.angles, data.periods, coordinates)
    units = None if earlier is None else earlier.models[0].units
    units, pairs, held_out = data.standardized(structure, chosen, units)
    if earlier is None:
        networks = [task.build(coordinates, data.periods, units, effort.seed + k) for k in range(effort.members)]
    else:
        networks = [copy.deepcopy(one.inner).requires_grad_(True) for one in earlier.models]
    baseline = find(task.name).baseline
    closed = closed_form(networks[0], task.prior, effort)
    choice, method = choose(effort.loss, find(task.name), smoothed, closed), ""
    found = Learned([], pd.DataFrame(), coordinates, data.periods, choice)
    before = pd.DataFrame() if earlier is None else earlier.history
    watching = Watching(effort, replace(found, history=before), lambda network: task.prior.completed(network, units))
    own = None if effort.loss is None or isinstance(effort.loss, str) else effort.loss
    course = Course(None if earlier is None else earlier.epochs, watching if effort.watch else None, own)
    histories = [pd.DataFrame()] * len(networks)
    noise = [] if smoothed is None else smoothed.noise.tolist()
    if isinstance(library := networks[0], LibraryModel):
        fit = LibraryTraining(library, units, pairs, held_out)
        if choice.on_rates:
            fit.to_rates(weighted=effort.training.weighted)
        else:
            task.prior.check_absent(task.name)
            noise = fit.to_states(seen.smoothed, None if held is None else held.smoothed, effort.seed)
        method = library.told
    elif baseline:
        model = cast(LeastSquaresModel, networks[0])
        model.double().standardize(pairs.z, pairs.rate)
        model.solve(pairs.z, pairs.rate, weighted=effort.training.weighted)
    elif earlier is None or choice.on_rates:  # a loss of states resumes without the rates of splines
        known, other = (None if part is None else cast_to(*task.precision, part) for part in (pairs, held_out))
        assert known is not None
        histories = train_members(networks, known, other, effort.training, effort.seed, effort.progress, course)
        if choice.on_rates:
            for k, network in enumerate(networks):
                if not watching.ended:
                    steps = _steps(network, effort, smoothed is not None, own is not None)
                    histories[k] = _polished(histories[k], network, pairs, held_out, effort, effort.seed + k, steps, course)
    if not choice.on_rates and not baseline and not watching.ended:
        for k, network in enumerate(networks):
            training = StateTraining(choice.name, network, units, chosen, task.prior)
            others = None if held is None else held.smoothed
            method, histories[k], noise = training.run(seen.smoothed, others, effort, effort.seed + k, course)
            network.to(*task.precision)
    order = sorted(range(len(networks)), key=lambda k: _reached(histories[k]))
    return replace(
        found,
        models=[task.prior.completed(networks[k], units) for k in order],
        history=_joined(before, histories[order[0]]),
        method=method,
        noise=dict(zip(coordinates, noise, strict=False)),
    )


def _with_rates(task: Task, seen: Measured) -> list[Orbit]:
    """Return orbits with their rates, those of splines, or those of a linear flow with the steps of short orbits."""
    if seen.have_rates or not issubclass(find(task.name), LinearModel) or not seen.smoothed.short:
        return seen.with_rates
    if task.prior or any(isinstance(orbit, DrivenOrbit) for orbit in seen.orbits):
        raise InputError(
            f"the model {task.name} is fitted to orbits of two or three states without rates only if it has no known part, "
            "symmetries or given values: give rates, or longer orbits"
        )
    return linear_rates(seen.smoothed.measured)


class Watching:
    """The watch of a training, which gathers its history and passes on what has been learned.

    Parameters
    ----------
    effort
        How to train, and who watches.
    found
        What is known of the result, with the history of the training that this one resumes.
    complete
        Returns the flow of a network in the units of the data.
    """

    def __init__(self, effort: Effort, found: Learned, complete: Callable[[Model], PhysicalModel]) -> None:
        self.effort, self.found, self.complete = effort, found, complete
        self.rows: list[Mapping[str, float]] = []
        self.ended = False

    def __call__(self, row: Mapping[str, float], networks: Sequence[Learner]) -> bool:
        """Return whether the training ends."""
        assert self.effort.watch is not None
        self.rows.append(dict(row))
        models = [self.complete(copy.deepcopy(cast(Model, network))) for network in networks]
        history = _joined(self.found.history, pd.DataFrame(self.rows))
        self.ended = self.effort.watch(replace(self.found, models=models, history=history))
        return self.ended


def _joined(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    parts = [part for part in (before, after) if len(part)]
    return (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()).rename_axis("epoch")


def _steps(network: Model, effort: Effort, smoothed: bool, own: bool) -> int:
    """Return the number of steps of the polish.

    By default, rates that a spline derives are not learned more closely, and neither weight decay nor a loss of the user's
    own, which may have kinks, is followed by a polish.
    """
    if effort.polish is not None:
        return effort.polish
    return 0 if smoothed or own or effort.training.weight_decay else default_steps(network, effort.training.epochs)


def _polished(
    history: pd.DataFrame,
    network: Model,
    pairs: Pairs,
    held_out: Pairs | None,
    effort: Effort,
    seed: int,
    steps: int,
    course: Course,
) -> pd.DataFrame:
    """Polish a network, and return its whole history."""
    if not steps:
        return history
    how = {"steps": steps, "seed": seed, "progress": effort.progress}
    return _joined(history, polish(network, pairs, held_out, effort.training, **how, course=course))  # type: ignore[arg-type]


def _reached(history: pd.DataFrame) -> float:
    """Return the loss of the weights that were kept: the smallest validation loss, or else the last training loss."""
    history = last_horizon(history)
    if "validation" in history:
        return float(history["validation"].min())
    return float(history["training"].iloc[-1]) if len(history) else 0.0


def _told(coordinates: Sequence[str], periods: Mapping[str, float]) -> str:
    return ", ".join(f"{name} (period {periods[name]:g})" if name in periods else name for name in coordinates)
