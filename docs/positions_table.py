"""Errors of derived velocities, and valid times of models that learn from positions alone, for docs/how-to/positions-only.md.

``python docs/positions_table.py`` takes some minutes and prints one row per system, spacing and noise.
"""

import math
import warnings

import numpy as np
import torch

import systems
from physlearn import Forecaster
from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, Orbit, System
from systems.recording import smooth

LENGTHS = {"henon-heiles": 200, "pendulum": 100}


def valid(system: System, per_turn: int, noise: float, *, positions_only: bool) -> float:
    """Return the median valid time of 24 forecasts, learned from 20 orbits."""
    options = {"energy": 0.1} if system.name == "henon-heiles" else {}
    t = torch.arange(max(60, 8 * per_turn), dtype=torch.float64) * 2 * math.pi / per_turn
    orbit, n = system.orbit(system.sample(20, seed=0, **options), t), system.dim // 2
    random = torch.Generator().manual_seed(0)
    z = orbit.z + noise * orbit.z.std((0, 1)) * torch.randn(orbit.z.shape, generator=random, dtype=torch.float64)
    kept = n if positions_only else 2 * n
    data = Orbit(t, z[..., :kept], coordinates=system.coordinates[:kept], periods=system.periods)
    if positions_only:
        data = data.with_velocities(names=system.coordinates[n:])
    f = Forecaster("hnn-mechanical", hidden=(30,), seed=0).fit(data, epochs=60, progress=False)
    length = LENGTHS[system.name]
    truth = system.orbit(system.sample(24, seed=1, **options), torch.linspace(0, length, 5 * length + 1))
    return float(valid_prediction_time(f.forecast(truth.z[:, 0], truth.t, progress=False), truth).median())


def velocity_error(per_turn: int, noise: float) -> float:
    """Return the error of velocities derived from 10 runs at uneven times, relative to their spread."""
    system, random = systems.get("henon-heiles"), np.random.default_rng(0)
    n = 6 * per_turn
    t = np.sort(random.uniform(-0.3, 0.3, n) + np.arange(n)) * 2 * math.pi / per_turn
    orbit = system.orbit(system.sample(10, seed=0, energy=0.1), torch.from_numpy(t))
    assert orbit.rate is not None
    z, velocity = orbit.z[..., :2].numpy(), orbit.rate[..., :2].numpy()
    z = z + noise * z.std((0, 1)) * random.normal(size=z.shape)
    found = np.stack([[one.values[1] for one in smooth([(t, run[:, i]) for run in z])] for i in range(2)], axis=-1)
    return float(np.sqrt(np.mean(((found - velocity) / velocity.std((0, 1))) ** 2)))


if __name__ == "__main__":
    warnings.simplefilter("ignore", AccuracyWarning)
    for per_turn in (6, 20, 60):
        errors = [f"{velocity_error(per_turn, noise):.2g}" for noise in (0.0, 0.001, 0.01, 0.1)]
        print(f"{per_turn} per turn: errors of velocities with noise 0, 0.1 %, 1 %, 10 %: {', '.join(errors)}")
    for name in LENGTHS:
        for per_turn in (6, 20, 60):
            for noise in (0.0, 0.01):
                times = [valid(systems.get(name), per_turn, noise, positions_only=only) for only in (False, True)]
                print(f"{name}, {per_turn} per turn, noise {noise:g}: states {times[0]:.0f}, positions {times[1]:.0f}")
