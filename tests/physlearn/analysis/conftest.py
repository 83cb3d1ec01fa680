"""What the tests of analysis share: small networks in float64 with curves of their own, and data for them."""

import pytest
import torch

from physlearn import models
from physlearn.activations import Mixture, Table
from physlearn.training import derivative_loss


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(name="drawn")
def _drawn():
    """Normal numbers of a shape and a seed."""
    return drawn


def table(seed):
    return Table(torch.linspace(-10, 10, 100, dtype=torch.float64).sin() + 0.1 * drawn(100, seed=seed), name="learned")


@pytest.fixture
def build():
    """A model with the scales of its data, and its loss."""

    def build(name="nn", activation="tanh", hidden=(6, 5), samples=30):
        activation = Mixture([table(0), table(1)]) if activation == "mixture" else activation
        model = models.build(name, 4, hidden, activation, seed=1).double()
        z, rate = drawn(samples, 4, seed=2), drawn(samples, 4, seed=3)
        model.standardize(z, rate)
        return model, lambda model: derivative_loss(model, z, rate)

    return build
