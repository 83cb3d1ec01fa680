"""The search for the defaults of echo-state networks: ``python docs/reservoir_defaults.py`` writes the table of the docs page.

Rossler's and the Lorenz-96 system are not among the systems on which the defaults are scored.
"""

import torch

from physlearn import Forecaster, integrate, metrics
from systems import Orbit


def rossler(t, s):
    """Return the rates of Rossler's system."""
    x, y, z = s.unbind(-1)
    return torch.stack([-y - z, x + 0.2 * y, 0.2 + z * (x - 5.7)], dim=-1)


def lorenz_96(t, s):
    """Return the rates of the Lorenz-96 system of five sites."""
    return (s.roll(-1, -1) - s.roll(2, -1)) * s.roll(1, -1) - s + 8.0


SYSTEMS = {rossler: (0.1, 3), lorenz_96: (0.02, 5)}  # step, coordinates
CHANGES = [{}, {"bias": 0.0}, {"bias": 0.3}, {"bias": 3.0}, {"leak": 0.5}, {"connections": 20}]
SEEDS = range(2)


def orbits(system, n, length, seed):
    """Return orbits on the attractor."""
    dt, dim = SYSTEMS[system]
    start = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    t = torch.arange(length + 1000, dtype=torch.float64) * dt
    return integrate(system, start, t, method="rk4", substeps=2, progress=False)[..., 1000:]


def main():
    """Print the table, row by row."""
    print("| changed | Rössler | Lorenz-96 |\n|---|---|---|")
    for change in CHANGES:
        row = []
        for system in SYSTEMS:
            train, test = orbits(system, 1, 5000, 0), orbits(system, 20, 1500, 1)
            times = []
            for seed in SEEDS:
                f = Forecaster("echo-state", activation="sine", seed=seed, **change).fit(
                    Orbit(train.t, train.z), progress=False
                )
                past, rest = f.parted(Orbit(test.t, test.z))
                valid = metrics.valid_prediction_time(f.forecast(past, rest.t), rest)
                times.append(float(valid.median()))
            row.append(sum(times) / len(times))
        name = ", ".join(f"`{option}={value}`" for option, value in change.items()) or "nothing"
        print(f"| {name} | " + " | ".join(f"{x:.1f}" for x in row) + " |", flush=True)


if __name__ == "__main__":
    main()
