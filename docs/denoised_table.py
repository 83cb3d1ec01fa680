"""Print how far denoised states are from exact ones, for docs/how-to/learn-from-measurements.md.

Each flow is learned from the noisy states themselves. The columns have root mean square errors of the measured states, of
smoothing splines, which know no flow, and of the denoised states, in units of the spread of each coordinate, and the part of
the latter that is within its standard error.
"""

from __future__ import annotations

import pandas as pd
import torch

import systems
from physlearn import Forecaster
from physlearn.forecasting.smoothed import Smoothed
from systems import Orbit

SYSTEMS = {  # length of the orbits, number of times, and the model
    "pendulum": (20.0, 201, "hnn-mechanical"),
    "henon-heiles": (40.0, 201, "hnn-mechanical"),
    "lorenz": (10.0, 501, "nn"),
}
NOISE, ORBITS = (0.01, 0.1), 10


def of_system(name: str, noise: float, seed: int = 0, orbits: int = ORBITS) -> dict[str, object]:
    """Return the errors for orbits of a system that are measured with an error of ``noise`` spreads."""
    system, (end, times, model) = systems.get(name), SYSTEMS[name]
    truth = system.orbit(system.sample(orbits, seed=seed), torch.linspace(0, end, times, dtype=torch.float64))
    size = truth.z.flatten(0, -2).std(0)
    draw = torch.randn(truth.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    measured = Orbit(truth.t, truth.z + noise * size * draw, coordinates=truth.coordinates)
    f = Forecaster(model, hidden=(30,), seed=seed).fit(measured, epochs=60, progress=False)
    found = f.denoised(measured)
    states = {
        "measured": measured.z,
        "spline": torch.stack([one.z for one in Smoothed.of(measured).orbits]),
        "denoised": found.z,
    }
    errors = {key: float(((z - truth.z) / size).square().mean().sqrt()) for key, z in states.items()}
    within = float(((found.z - truth.z).abs() <= found.errors).double().mean())
    return {"system": name, "noise": noise, "seed": seed, **errors, "within": within}


if __name__ == "__main__":
    table = pd.DataFrame([of_system(name, noise, seed) for name in SYSTEMS for noise in NOISE for seed in range(3)])
    print(table.groupby(["system", "noise"], sort=False).mean().drop(columns="seed").to_string(float_format="{:.4f}".format))
