"""Print how often the truth lies within calibrated bands and trusted times, for docs/how-to/learn-from-measurements.md.

Each system is learned from a few orbits, calibrated on others and tested on further ones, with exact states and with noise.
The recorded clock, in the folder that PHYSLEARN_DATA names, is cut into pieces: one recording is one orbit. Coverage differs
from the level because orbits are drawn. The column ``error`` has the standard deviation that this causes for a band of 90 %.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import torch

import systems
from physlearn import Forecaster
from physlearn.metrics import valid_prediction_time
from systems import Orbit

LEVELS, TOLD = (0.5, 0.8, 0.9, 0.95), 0.9
SYSTEMS = {  # time of the forecasts: a few turns, and for the chaotic ones some Lyapunov times
    "pendulum": 20.0,
    "harmonic-oscillator": 20.0,
    "duffing": 20.0,
    "van-der-pol": 20.0,
    "lotka-volterra": 20.0,
    "fitzhugh-nagumo": 40.0,
    "henon-heiles": 40.0,
    "elastic-pendulum": 10.0,
    "double-pendulum": 5.0,
    "lorenz": 6.0,
}
SAMPLES, KNOWN = 101, 20  # times of an orbit, and orbits that are learned
CHOICES = 20  # of the pieces of the clock that calibrate the bands


def main(names: tuple[str, ...] = tuple(SYSTEMS), seeds: int = 2) -> pd.DataFrame:
    """Return the table, one row per system, noise and seed."""
    rows = [shown(of_system(name, noise, seed)) for name in names for noise in (0.0, 0.01) for seed in range(seeds)]
    if folder := os.environ.get("PHYSLEARN_DATA"):
        rows += [shown(row) for seed in range(3 * seeds) for row in of_clock(Path(folder), seed)]
    return pd.DataFrame(rows)


def of_system(name: str, noise: float, seed: int, calibrated: int = 1000, tested: int = 1000) -> dict[str, object]:
    """Return the coverage for a system whose states are measured with an error of ``noise`` spreads."""
    system = systems.get(name)
    t = torch.linspace(0, SYSTEMS[name], SAMPLES, dtype=torch.float64)
    known, held_out, fresh = (
        system.orbit(system.sample(n, seed=10 * seed + part), t) for part, n in enumerate((KNOWN, calibrated, tested))
    )
    if noise:
        size = noise * known.z.flatten(0, -2).std(0)
        draw = torch.Generator().manual_seed(seed)
        known, held_out, fresh = (
            Orbit(t, one.z + size * torch.randn(one.z.shape, generator=draw).double(), None, one.coordinates)
            for one in (known, held_out, fresh)
        )
    model = "hnn" if system.canonical else "nn"
    f = Forecaster(model, hidden=(30,), members=5, seed=seed).fit(known, epochs=60, progress=False).calibrate(held_out)
    return {"system": name, "noise": noise, "seed": seed, **measured(f, fresh)}


def of_clock(folder: Path, seed: int, piece: int = 61) -> list[dict[str, object]]:
    """Return the coverage for pieces of 2 s of the recorded clock, after learning from its first third.

    The calibration has half of the pieces at random, which are like the others, on average over many choices of the half. In
    the second row it has the pieces before the others.
    """
    (swing,) = Orbit.from_csv(folder / "clock_angles.csv", rates="derived")
    states = Orbit(swing.t, swing.z, None, swing.coordinates)
    third = len(states.t) // 3
    starts = torch.arange(third, len(states.t) - piece, piece)
    pieces = Orbit(
        states.t[:piece] - states.t[0], torch.stack([states.z[a : a + piece] for a in starts]), None, ("theta", "omega")
    )
    f = Forecaster("nn", hidden=(30,), members=5, seed=seed).fit(states[:third], epochs=60, progress=False)
    draw, half = torch.Generator().manual_seed(seed), len(starts) // 2
    orders = [torch.randperm(len(starts), generator=draw) for _ in range(CHOICES)]
    random = [measured(f.calibrate(pieces[order[:half]]), pieces[order[half:]]) for order in orders]
    later = measured(f.calibrate(pieces[:half]), pieces[half:])
    mean = pd.DataFrame(random).mean().to_dict()
    return [
        {"system": f"recorded clock, {name} pieces", "noise": float("nan"), "seed": seed, **found}
        for name, found in (("random", mean), ("later", later))
    ]


def measured(f: Forecaster, truth: Orbit) -> dict[str, float]:
    """Return the parts of measured coordinates within bands, and of true valid times within the error of the trusted time.

    For the band of 90 %, this is also told of the coordinate and of the quarter of the times that are furthest from it.
    """
    assert f.calibration is not None
    forecast = f.forecast(truth.z[:, 0], truth.t, progress=False)
    known = truth.measured[:, 1:].double()
    found = {}
    for level in LEVELS:
        low, high = forecast.band(level)
        inside = known * ((truth.z >= low) & (truth.z <= high))[:, 1:]
        found[f"band {level:g}"] = float(inside.sum() / known.sum())
        if level == TOLD:
            each = inside.sum((1, 2)) / known.sum((1, 2))  # of each orbit
            found["error"] = float(each.std()) * (1 / len(each) + 1 / len(f.calibration.ratios)) ** 0.5
            quarters = zip(inside.chunk(4, 1), known.chunk(4, 1), strict=True)
            parts = {
                "coordinate": inside.sum((0, 1)) / known.sum((0, 1)),
                "quarter": torch.stack([covered.sum() / there.sum() for covered, there in quarters]),
            }
            found |= {name: float(part[(part - level).abs().argmax()]) for name, part in parts.items()}
    trusted, valid = forecast.trusted_until(), valid_prediction_time(forecast, truth)
    found["trusted"] = float(((trusted.time - valid).abs() <= trusted.error * (1 + 1e-9)).double().mean())
    return {**found, "valid": float(valid.median() / (truth.t[-1] - truth.t[0]))}


def shown(row: dict[str, object]) -> dict[str, object]:
    """Print a row as soon as it is known, and return it."""
    print(*(f"{value:.3f}" if isinstance(value, float) else value for value in row.values()), flush=True)
    return row


if __name__ == "__main__":
    table = main()
    means = table.groupby(["system", "noise"], dropna=False, sort=False).mean(numeric_only=True).drop(columns="seed")
    print(means.to_string(float_format="{:.3f}".format))
