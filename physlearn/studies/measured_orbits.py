"""Which loss learns a flow best from measured states: a table over systems, spacings and noise."""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import systems
from physlearn.forecasting.forecaster import Forecaster
from physlearn.forecasting.report import writable
from physlearn.jobs import sweep
from physlearn.metrics import energy_error, valid_prediction_time
from systems import AccuracyWarning, HamiltonianSystem, InputError, IntegrationError, Orbit
from systems.atomic import atomically

SPACINGS = (6, 20, 2, 60)
NOISES = (0.0, 0.001, 0.01, 0.1)
LOSSES = ("derivative", "step", "shooting", "weak", "cubic")
EXACT = "exact rates"
DEFAULT = "shooting"


@dataclass(frozen=True)
class Protocol:
    """The orbits of one system.

    Parameters
    ----------
    model : str
        The network.
    turn : float
        Time in which the fastest coordinate oscillates once.
    time : float
        Duration of the forecasts.
    training_sample, test_sample : dict
        Arguments of ``System.sample``.
    """

    model: str
    turn: float
    time: float
    training_sample: dict[str, Any] = field(default_factory=dict)
    test_sample: dict[str, Any] = field(default_factory=dict)


PROTOCOLS = {
    "henon-heiles": Protocol("hnn", 6.25, 200.0, {"energy_range": (0.02, 0.125)}, {"energy": 1 / 12}),
    "pendulum": Protocol("hnn", 8.0, 100.0),
    "van-der-pol": Protocol("nn", 2.13, 100.0),
    "lorenz": Protocol("nn", 0.7, 20.0),
    "double-pendulum": Protocol("hnn", 1.65, 50.0),
}
ORBITS, TURNS = 15, 4  # of the training
HIDDEN, TESTS = 30, 10  # neurons, and orbits to forecast


def measured(system: str, per_turn: float, noise: float, seed: int) -> tuple[Orbit, Orbit]:
    """Return the exact orbits of a system, with rates, and measured ones, without.

    Parameters
    ----------
    system
        Name of the system.
    per_turn
        Number of states per turn.
    noise
        Standard deviation of the Gaussian noise of each coordinate, relative to its spread.
    seed
        Random seed.
    """
    protocol, flow = PROTOCOLS[system], systems.get(system)
    t = torch.arange(round(TURNS * per_turn) + 1, dtype=torch.float64) * protocol.turn / per_turn
    exact = flow.orbit(flow.sample(ORBITS, seed=2 * seed, **protocol.training_sample), t)
    drawn = torch.randn(exact.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return exact, replace(exact, z=exact.z + noise * exact.z.std((0, 1)) * drawn, rate=None)


def cell(system: str, per_turn: float, noise: float, loss: str, seed: int) -> dict[str, Any]:
    """Train one forecaster, and return its median valid time, energy error and time of training.

    Parameters
    ----------
    system, per_turn, noise, seed
        The orbits, as for `measured`.
    loss
        A loss of `Forecaster.fit`; ``"exact rates"`` for a network that learns the exact states and rates; or ``"cubic"`` for
        a polynomial fitted to rates of splines.
    """
    protocol, flow = PROTOCOLS[system], systems.get(system)
    exact, noisy = measured(system, per_turn, noise, seed)
    settings: dict[str, Any] = {"loss": "derivative" if loss in (EXACT, "cubic") else loss, "progress": False}
    name = loss if loss == "cubic" else protocol.model
    t = torch.linspace(0, protocol.time, 1001, dtype=torch.float64)
    truth = flow.orbit(flow.sample(TESTS, seed=2 * seed + 1, **protocol.test_sample), t)
    start, found = time.process_time(), {"valid_time": 0.0, "energy_error": float("nan")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        try:
            f = Forecaster(name, hidden=(HIDDEN,), seed=seed).fit(exact if loss == EXACT else noisy, **settings)
            seconds = time.process_time() - start
            forecast = f.forecast(truth.z[:, 0], t, method="rk4", progress=False)
        except (InputError, IntegrationError):  # the states do not suffice, or the forecast leaves every bound
            return {**found, "seconds": time.process_time() - start}
    found["valid_time"] = float(valid_prediction_time(forecast, truth).median())
    if isinstance(flow, HamiltonianSystem):
        found["energy_error"] = float(energy_error(forecast, flow).median())
    return {**found, "seconds": seconds}


def units(seeds: int, *, quick: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the settings of each cell, those of one seed before those of the next.

    Parameters
    ----------
    seeds
        Number of seeds.
    quick
        Whether to yield only the pendulum, with two spacings and two noises.
    """
    names: Sequence[str] = ("pendulum",) if quick else tuple(PROTOCOLS)
    spacings: Sequence[int] = (20, 6) if quick else SPACINGS
    noises: Sequence[float] = (0.0, 0.01) if quick else NOISES
    for seed, per_turn, name in itertools.product(range(seeds), spacings, names):
        settings = {"system": name, "per_turn": per_turn, "seed": seed}
        yield settings | {"noise": 0.0, "loss": EXACT}
        for noise, loss in itertools.product(noises, LOSSES):
            yield settings | {"noise": noise, "loss": loss}


def run(out: Path, seeds: int = 10, *, quick: bool = False, progress: bool = True) -> pd.DataFrame:
    """Compute the table, one seed after the other; a run that was stopped resumes.

    Parameters
    ----------
    out
        Folder, which receives one file per cell in ``cells``, and ``measured.csv`` and ``measured.md`` after each seed.
    seeds
        Number of seeds.
    quick
        Whether to compute a few cells only.
    progress
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        One row per cell and seed.
    """
    for done in range(1, seeds + 1):
        table = sweep(cell, list(units(done, quick=quick)), writable(out) / "cells", progress=progress)
        with atomically(out / "measured.csv") as temporary:
            table.to_csv(temporary, index=False)
        with atomically(out / "measured.md") as temporary:
            temporary.write_text(markdown(table) + "\n")
    return table


def summary(table: pd.DataFrame, value: str = "valid_time", *, resamples: int = 1000) -> pd.DataFrame:
    """Return medians over the seeds, with intervals.

    Parameters
    ----------
    table
        One row per cell and seed.
    value
        The column to summarise.
    resamples
        Number of bootstrap samples of the seeds.

    Returns
    -------
    DataFrame
        One row per system, spacing, noise and loss, with ``median``, ``low`` and ``high`` (a 95 % interval of the median by
        the percentile bootstrap) and ``seeds``.
    """
    random = np.random.default_rng(0)
    rows = []
    for key, group in table.groupby(["system", "per_turn", "noise", "loss"], sort=False):
        values = group[value].to_numpy(float)
        drawn = np.median(values[random.integers(len(values), size=(resamples, len(values)))], axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975))
        rows.append((*key, float(np.median(values)), low, high, len(values)))
    return pd.DataFrame(rows, columns=["system", "per_turn", "noise", "loss", "median", "low", "high", "seeds"])


def markdown(table: pd.DataFrame, value: str = "valid_time") -> str:
    """Return the summary as a table in Markdown, with one row per system, spacing and noise."""
    found = summary(table, value)
    found["told"] = [f"{row['median']:.3g} ({row['low']:.3g}-{row['high']:.3g})" for _, row in found.iterrows()]
    exact = found[found["loss"] == EXACT].set_index(["system", "per_turn"])["told"]
    lines = [f"| system | per turn | noise | {' | '.join([EXACT, *LOSSES])} |", "|---" * (4 + len(LOSSES)) + "|"]
    for (system, per_turn, noise), rows in found[found["loss"] != EXACT].groupby(["system", "per_turn", "noise"]):
        told = rows.set_index("loss")["told"].reindex(LOSSES, fill_value="")
        first = exact.get((system, per_turn), "")
        lines.append(f"| {system} | {per_turn:g} | {noise:.1%} | {' | '.join([first, *told])} |")
    return "\n".join(lines)


def shortfall(table: pd.DataFrame, candidates: Sequence[str] = LOSSES) -> pd.Series:
    """Return, for each system, spacing and noise, the median valid time of the default relative to that of the best loss.

    Parameters
    ----------
    table
        One row per cell and seed.
    candidates
        The losses to compare with.
    """
    medians = summary(table).query("loss in @candidates").pivot_table("median", ["system", "per_turn", "noise"], "loss")
    return medians[DEFAULT] / medians.max(axis=1)
