"""The training of a forecaster: its data, its loss, and one or several networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import pandas as pd
import torch

from physlearn.forecasting import angles as turning
from physlearn.forecasting.learning_data import LearningData, cast_to
from physlearn.forecasting.smoothed import Measured
from physlearn.forecasting.state_losses import Choice, StateTraining, choose
from physlearn.models import Model
from physlearn.models.baselines import LeastSquaresModel
from physlearn.models.build import structure_of
from physlearn.models.physical import PhysicalModel
from physlearn.models.units import Units
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import train_members
from physlearn.training.polish import default_steps, polish
from systems import InputError
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
    loss : str, optional
        The loss that is asked for.
    polish : int, optional
        Largest number of steps of the polish; None for the default number.
    seed, members : int
        Seed of the first network, and number of networks.
    progress : bool
        Whether to show progress bars.
    """

    training: Training
    loss: str | None
    polish: int | None
    seed: int
    members: int
    progress: bool

    def __post_init__(self) -> None:
        if self.polish is not None:
            object.__setattr__(self, "polish", whole("polish", self.polish))
            if self.polish < 0:
                raise InputError(f"polish must be a number of steps, at least 0, not {self.polish}")


@dataclass(frozen=True)
class Learned:
    """What a training results in.

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


def learn(
    name: str,
    build: Build,
    angles: turning.Choice,
    seen: Measured,
    held: Measured | None,
    effort: Effort,
    precision: Precision,
) -> Learned:
    """Train networks of the model ``name`` on orbits.

    Parameters
    ----------
    name
        Name of the model.
    build
        Returns a network for coordinates, their periods, units and a seed.
    angles
        Coordinates that are treated as angles.
    seen, held
        Training and validation data.
    effort
        How to train.
    precision
        Device and type of the training.
    """
    smoothed = None if seen.have_rates else seen.smoothed
    data = LearningData.of(seen.with_rates, None if held is None else held.with_rates)
    coordinates = data.pairs.coordinates
    chosen = turning.chosen(angles, data.periods, coordinates)
    if (structure := structure_of(name, len(coordinates))) == "lagrangian":
        data.check_velocities(name, SAME if smoothed is None else ALIKE)
    units, pairs, held_out = data.standardized(structure, chosen)
    networks = [build(coordinates, data.periods, units, effort.seed + k) for k in range(effort.members)]
    choice, method = choose(effort.loss, name, networks[0].baseline, smoothed), ""
    if networks[0].baseline:
        model = cast(LeastSquaresModel, networks[0])
        model.double().standardize(pairs.z, pairs.rate)
        model.solve(pairs.z, pairs.rate, weighted=effort.training.weighted)
        histories = [pd.DataFrame()]
    else:
        known, other = (None if part is None else cast_to(*precision, part) for part in (pairs, held_out))
        assert known is not None
        histories = train_members(networks, known, other, effort.training, effort.seed, effort.progress)
        if choice.name == "derivative":
            for k, network in enumerate(networks):
                histories[k] = _polished(histories[k], network, pairs, held_out, effort, effort.seed + k, smoothed is not None)
    noise = [] if smoothed is None else smoothed.noise.tolist()
    if choice.name != "derivative":
        for k, network in enumerate(networks):
            training = StateTraining(choice.name, network, units, chosen)
            others = None if held is None else held.smoothed
            seed = effort.seed + k
            found = training.run(seen.smoothed, others, polish=effort.polish, seed=seed, progress=effort.progress)
            method, histories[k], noise = found
            network.to(*precision)
    order = sorted(range(len(networks)), key=lambda k: _reached(histories[k]))
    return Learned(
        models=[PhysicalModel(networks[k], units) for k in order],
        history=histories[order[0]],
        coordinates=coordinates,
        periods=data.periods,
        choice=choice,
        method=method,
        noise=dict(zip(coordinates, noise, strict=False)),
    )


def _polished(
    history: pd.DataFrame, network: Model, pairs: Pairs, held_out: Pairs | None, effort: Effort, seed: int, smoothed: bool
) -> pd.DataFrame:
    """Polish a network, and return its whole history. By default, rates that a spline derives are not learned more closely."""
    steps = effort.polish
    if steps is None:
        steps = 0 if smoothed else default_steps(network, effort.training.epochs)
    if not steps:
        return history
    found = polish(network, pairs, held_out, effort.training, steps=steps, seed=seed, progress=effort.progress)
    return pd.concat([history, found], ignore_index=True).rename_axis("epoch") if len(found) else history


def _reached(history: pd.DataFrame) -> float:
    """Return the loss of the weights that were kept: the smallest validation loss, or else the last training loss."""
    if "validation" in history:
        return float(history["validation"].min())
    return float(history["training"].iloc[-1]) if len(history) else 0.0
