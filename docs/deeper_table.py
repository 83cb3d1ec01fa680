"""Validation losses of wide and of deep networks, for docs/how-to/train-deeper-networks.md.

``python docs/deeper_table.py`` takes some minutes and prints one row per system and model.
"""

import torch

import systems
from physlearn import Forecaster
from systems import Orbit, System

SHAPES = ((100,), (475,), (50, 50))
SEEDS = range(3)


def orbits(system: System, n: int, seed: int) -> Orbit:
    """Return the orbits that train or validate the networks."""
    options = {"energy_range": (0.02, 0.125)} if system.name == "henon-heiles" else {}
    return system.orbit(system.sample(n, seed=seed, **options), torch.linspace(0, 20, 101, dtype=torch.float64))


if __name__ == "__main__":
    for name in ("henon-heiles", "elastic-pendulum"):
        system = systems.get(name)
        training, validation = orbits(system, 50, 0), orbits(system, 20, 1)
        for model in ("hnn", "nn"):
            cells = []
            for hidden in SHAPES:
                losses = []
                for seed in SEEDS:
                    f = Forecaster(model, hidden=hidden, seed=seed)
                    f.fit(training, validation, epochs=100, polish=0, progress=False)
                    losses.append(f"{f.history['validation'].min():.1e}")
                cells.append(", ".join(losses))
            print(f"{name}, {model}: " + " | ".join(cells), flush=True)
