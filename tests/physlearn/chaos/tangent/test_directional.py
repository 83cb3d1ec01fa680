"""Directional derivatives of every flow there is, against its Jacobian by reverse-mode differentiation."""

import pytest
import torch
from torch.func import jacrev, vmap
from torch.testing import assert_close

import systems
from physlearn import LearnedActivations, models
from physlearn.chaos.tangent.directional import directional


def jacobian_along(f, z, w):
    return (vmap(jacrev(f))(z) @ w.unsqueeze(-1)).squeeze(-1)


def directions(z, seed=0):
    return torch.randn(z.shape, generator=torch.Generator().manual_seed(seed), dtype=z.dtype)


@pytest.mark.parametrize("name", systems.names())
def test_of_every_system(name):
    system = systems.get(name)
    z = system.sample(3, seed=0)
    w = directions(z)

    def field(z):
        return system.vector_field(0.3, z)

    value, derivative = directional(field, z, w)
    assert_close(value, field(z), rtol=1e-12, atol=1e-12)
    assert_close(derivative, jacobian_along(field, z, w), rtol=1e-9, atol=1e-9)


LEARNED = LearnedActivations(torch.randn(2, 30, generator=torch.Generator().manual_seed(0)), base="sine", task="by hand")


@pytest.mark.parametrize("activation", ["sine", "tanh", "sine+tanh", LEARNED.types[0], LEARNED.mix])
@pytest.mark.parametrize("name", models.names())
def test_of_every_model(name, activation):
    model = models.build(name, 4, (9, 7), activation, seed=1).double().requires_grad_(False)
    z = directions(torch.zeros(5, 4, dtype=torch.float64), seed=2)
    w = directions(z)

    def field(z):
        return model.vector_field(0.0, z)

    value, derivative = directional(field, z, w)
    assert_close(value, field(z))
    assert_close(derivative, jacobian_along(field, z, w), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: 3 - 2 / x, lambda x: 2 / x**2),
        (lambda x: x - 1, torch.ones_like),
        (lambda x: 5 + x * torch.tensor(2.0), lambda x: 2 * torch.ones_like(x)),
        (lambda x: torch.tensor([1, 2]) * x, lambda x: torch.tensor([1.0, 2.0])),
        (lambda x: torch.ones_like(x), torch.zeros_like),
        (lambda x: torch.sub(x, x**2, alpha=2), lambda x: 1 - 4 * x),
    ],
)
def test_constants_in_arithmetic_have_no_derivative(f, slope):
    x = torch.tensor([0.5, -2.0])
    value, derivative = directional(f, x, torch.ones(2))
    assert_close(value, f(x))
    assert_close(derivative, slope(x))
