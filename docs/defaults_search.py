"""Search for the default settings of `Forecaster` on ten systems, and score them on six others, as docs/defaults.md tells.

``python docs/defaults_search.py FOLDER`` trains each setting on each system, and keeps each result in the folder, so that a
run that was stopped resumes. It prints tables with one row per setting: means over all tasks of log10 of the loss relative to
that of the former default, sine, and of the valid time relative to the length of the forecast.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import systems
from physlearn import Forecaster, metrics
from physlearn.forecasting.simulated import learning_orbits, protocol_of, seeds_of
from physlearn.jobs import sweep

CHOSEN_ON = (
    "van-der-pol", "lorenz", "fitzhugh-nagumo", "pendulum", "duffing",
    "lotka-volterra", "henon-heiles", "elastic-pendulum", "kepler", "double-pendulum",
)  # fmt: skip
SCORED_ON = ("tao-oscillator", "dipole-reduced", "toda-ring", "general-henon-heiles", "two-body", "three-body")
PRESENT = {"activation": "sine", "learning_rate": 5e-3, "hidden": "100", "epochs": 200}
ACTIVATIONS = ("sine", "tanh", "gelu", "silu", "softplus")
LEARNING_RATES = (5e-3, 2e-2)
FOUND = {**PRESENT, "activation": "tanh"}
CHANGES = ({"hidden": "50"}, {"hidden": "200"}, {"hidden": "40,40"}, {"epochs": 100}, {"epochs": 400}, {"learning_rate": 1e-2})


def score(
    system: str, model: str, activation: str, learning_rate: float, hidden: str, epochs: int, seed: int
) -> dict[str, float]:
    """Return the test loss, relative to the spread of the rates, and the part of the forecast that is valid."""
    world = systems.get(system)
    protocol = replace(protocol_of(world), training_orbits=100, validation_orbits=20)
    training, validation = learning_orbits(world, protocol, seed)
    t = torch.arange(round(protocol.time / protocol.dt) + 1, dtype=torch.float64) * protocol.dt
    truth = world.orbit(world.sample(protocol.test_orbits, seed=seeds_of(seed)["test"], **protocol.test_sample), t)
    f = Forecaster(model, hidden=[int(width) for width in hidden.split(",")], activation=activation, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            f.fit(training, validation, epochs=epochs, learning_rate=learning_rate, progress=False)
            forecast = (
                f.forecast(truth.z[:, 0], t, failure="nan")
                if f.model.default_method.startswith("g")
                else f.forecast(truth.z[:, 0], t)
            )
            valid = float(metrics.valid_prediction_time(forecast, truth).median())
        except systems.IntegrationError:
            return {"loss": 1.0, "valid": 0.0}
    assert truth.rate is not None
    error = (f.vector_field(0.0, truth.z) - truth.rate).square().flatten(0, 1).mean(0)
    spread = truth.rate.flatten(0, 1).var(0)
    return {"loss": float((error / spread).mean()), "valid": valid / protocol.time}


def tasks(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return systems with their models: ``nn`` for all, and ``hnn`` where the coordinates are canonical."""
    return [(name, model) for name in names for model in ("nn", "hnn") if model == "nn" or systems.get(name).canonical]


def units(names: tuple[str, ...], settings: list[dict], seeds: range) -> list[dict]:
    """Return the arguments of `score` for all settings, tasks and seeds."""
    pairs = tasks(names)
    return [{"system": s, "model": m, **one, "seed": seed} for seed in seeds for one in settings for s, m in pairs]


def summary(table: pd.DataFrame, present: dict) -> pd.DataFrame:
    """Return one row per model and setting, with means over the tasks, the best first."""
    keys = list(PRESENT)
    table = table.assign(loss=np.log10(table["loss"]))
    known = table.loc[(table[keys] == pd.Series(present)).all(axis=1)].set_index(["system", "model", "seed"])["loss"]
    table["loss"] -= known.reindex(pd.MultiIndex.from_frame(table[["system", "model", "seed"]])).to_numpy()
    return table.groupby(["model", *keys])[["loss", "valid"]].mean().reset_index().sort_values(["model", "loss"])


def main() -> None:
    """Run the search, and print its tables."""
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    first = [{**PRESENT, "activation": a, "learning_rate": r} for a in ACTIVATIONS for r in LEARNING_RATES]
    second = [{**FOUND, **change} for change in CHANGES]
    chosen = sweep(score, units(CHOSEN_ON, [*first, *second], range(1)), folder)
    print(summary(chosen, PRESENT).to_string())
    scored = sweep(score, units(SCORED_ON, [PRESENT, FOUND], range(3)), folder)
    print(summary(scored, PRESENT).to_string())
    print(scored.groupby(["system", "model", "activation"])[["loss", "valid"]].median().unstack().to_string())


if __name__ == "__main__":
    main()
