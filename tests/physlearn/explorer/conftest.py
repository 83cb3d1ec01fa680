"""Small models that have learned a little, in no time."""

import pytest
import torch

import systems
from physlearn.explorer import Exploration, Learning, Neurons, Shelf


@pytest.fixture(scope="session")
def shelf():
    return Shelf(Learning(orbits=10, epochs=3, hidden=(8,)))


@pytest.fixture(scope="session")
def exploring(shelf):
    """An exploration of a system, with its models or others."""

    def exploring(name, models=("nn", "hnn"), z0=None, **how):
        system = systems.get(name)
        trained = {model: shelf.get(system, model, Neurons.named("sine")) for model in models}
        z0 = system.sample(1, seed=1)[0] if z0 is None else torch.tensor(z0, dtype=torch.float64)
        return Exploration(system, z0, trained, **how)

    return exploring
