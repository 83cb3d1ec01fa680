"""Print how long forecasts are valid with symmetries and with a known part, which docs/how-to/shape-the-training.md quotes."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import torch
from numpy import array, median
from scipy.stats import bootstrap

import systems
from physlearn import Forecaster, integrate
from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, Orbit

SEEDS, TEST = 10, 20
STARS, PENDULUM = systems.get("henon-heiles"), systems.get("pendulum")
NOISE, DRAG = 0.03, 0.02


def damped(t: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Return the rates of a pendulum with quadratic damping."""
    theta, p = z.unbind(-1)
    return PENDULUM.vector_field(t, z) - torch.stack([torch.zeros_like(theta), DRAG * p * p.abs()], dim=-1)


def valid(f: Forecaster, truth: Orbit, threshold: float = 0.4) -> float:
    """Return the mean valid time of forecasts."""
    return float(valid_prediction_time(f.forecast(truth.z[:, 0], truth.t, progress=False), truth, threshold).mean())


def of_stars(seed: int) -> dict[str, float]:
    """Return the valid times after training on 10 short orbits of Henon-Heiles, with and without its symmetries."""
    times = torch.linspace(0, 200, 1001, dtype=torch.float64)
    truth = STARS.orbit(STARS.sample(TEST, seed=1000), times)
    train = STARS.orbit(STARS.sample(10, seed=seed), times[:26])
    return {
        "hnn": valid(Forecaster("hnn", seed=seed).fit(train, progress=False), truth),
        "hnn, three times the epochs": valid(Forecaster("hnn", seed=seed).fit(train, epochs=600, progress=False), truth),
        "hnn, symmetric": valid(Forecaster("hnn", seed=seed, symmetry=True).fit(train, progress=False), truth),
    }


def of_pendulum(seed: int) -> dict[str, float]:
    """Return the valid times after training on 4 noisy orbits of a damped pendulum, with and without the pendulum."""
    times = torch.linspace(0, 60, 601, dtype=torch.float64)

    def orbits(n: int, number: int, t: torch.Tensor) -> Orbit:
        return integrate(damped, PENDULUM.sample(n, seed=number), t, method="dopri8", progress=False)

    truth, clean = orbits(TEST, 1000, times), orbits(4, seed, times[:61])
    noise = torch.randn(clean.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    z = clean.z + NOISE * clean.z.std(dim=(0, 1)) * noise
    train, found = Orbit(clean.t, z, coordinates=PENDULUM.coordinates), {}
    for decay in (0.0, 0.3):
        for name, known in (("nn", None), ("nn, pendulum known", PENDULUM)):
            f = Forecaster("nn", hidden=(20,), known=known, seed=seed).fit(train, weight_decay=decay, progress=False)
            found[f"{name}, weight decay {decay:g}"] = valid(f, Orbit(truth.t, truth.z, coordinates=PENDULUM.coordinates))
    return found


def main() -> None:
    """Print the tables, and draw them into the file that is named, if one is."""
    warnings.simplefilter("ignore", AccuracyWarning)  # after so few data, forecasts are not accurate
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for ax, experiment, title in zip(axes, (of_stars, of_pendulum), ("Henon-Heiles", "damped pendulum"), strict=True):
        table = pd.DataFrame([experiment(seed) for seed in range(SEEDS)])
        for name, column in table.items():
            low, high = bootstrap((array(column),), median, rng=0).confidence_interval
            print(f"{title:16} {name:40} {column.median():6.1f}  [{low:.1f}, {high:.1f}]", flush=True)
        ax.boxplot(table[table.columns[::-1]].to_numpy(), orientation="horizontal", tick_labels=list(table.columns[::-1]))
        ax.set(title=title, xlabel="valid time", xlim=(0, None))
    if len(sys.argv) > 1:
        figure.savefig(Path(sys.argv[1]), dpi=100)


if __name__ == "__main__":
    main()
