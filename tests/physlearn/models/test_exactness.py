"""Standardisation inside a model leaves Hamilton's equations exact."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.func import jacrev, vmap
from torch.testing import assert_close

from physlearn import models
from systems.hamiltonian_system import symplectic_gradient

HAMILTONIAN = ["hnn", "hnn-separable", "hnn-mechanical", "cubic"]
STEP = 1e-5


def random_model(name, seed=0, scale=1.0, offset=0.0, dim=4):
    """A model in float64 whose scales come from data of that size about that offset, with random weights."""
    random = torch.Generator().manual_seed(seed)
    z = offset + scale * torch.randn(200, dim, generator=random, dtype=torch.float64) * torch.logspace(-1, 1, dim)
    rate = torch.randn(200, dim, generator=random, dtype=torch.float64) * 7 - 3
    model = models.build(name, dim, (16, 16), "tanh", seed=seed).double()
    model.standardize(z, rate)
    if model.baseline and name != "linear":
        model.solve(z, rate)
    return model.requires_grad_(False), z[:20]


@settings(max_examples=15, deadline=None)
@given(
    name=st.sampled_from(HAMILTONIAN),
    seed=st.integers(0, 100),
    scale=st.floats(0.1, 10),
    offset=st.floats(-5, 5),
)
def test_the_flow_of_a_standardised_model_is_hamiltonian_in_physical_coordinates(name, seed, scale, offset):
    model, z = random_model(name, seed, scale, offset)
    jacobian = vmap(jacrev(lambda state: model.vector_field(0.0, state)))(z)
    n = z.shape[-1] // 2
    j = torch.zeros(2 * n, 2 * n, dtype=z.dtype)
    j[:n, n:], j[n:, :n] = torch.eye(n), -torch.eye(n)
    hessian = -j @ jacobian  # of H, if the field is J grad H: symmetric
    size = hessian.abs().max()
    assert_close(hessian, hessian.transpose(-1, -2), atol=float(1e-11 * size), rtol=0)


@pytest.mark.parametrize("name", HAMILTONIAN)
def test_the_field_is_the_symplectic_gradient_of_the_learned_energy_by_finite_differences(name):
    model, z = random_model(name, scale=2.0, offset=1.0)
    columns = []
    for j in range(z.shape[-1]):
        h = torch.zeros_like(z)
        h[:, j] = STEP
        columns.append((model.hamiltonian(z + h) - model.hamiltonian(z - h)) / (2 * STEP))
    dq, dp = torch.stack(columns, -1).chunk(2, -1)
    expected = torch.cat([dp, -dq], -1)
    assert_close(model.vector_field(0.0, z), expected, atol=float(1e-6 * expected.abs().max()), rtol=0)


@pytest.mark.parametrize("name", ["hnn-separable", "hnn-mechanical"])
def test_a_separable_model_is_the_sum_of_its_kinetic_and_potential_energy(name):
    model, z = random_model(name)
    q, p = z.chunk(2, -1)
    assert_close(model.hamiltonian(z), model.kinetic(p) + model.potential(q))
    assert_close(model.vector_field(0.0, z), symplectic_gradient(model.hamiltonian, z))


def test_what_the_network_has_to_fit_has_mean_square_one():
    model, _ = random_model("hnn", scale=3.0, offset=2.0)
    random = torch.Generator().manual_seed(3)
    z = torch.randn(500, 4, generator=random, dtype=torch.float64) * 5 + 1
    rate = torch.randn(500, 4, generator=random, dtype=torch.float64) * 40
    model.standardize(z, rate)
    gradient = torch.cat([-rate[:, 2:], rate[:, :2]], -1)  # of H, by Hamilton's equations
    inner = gradient * model.energy.inputs.scale / model.energy.gradient_scale
    assert_close(inner.square().mean(), torch.tensor(1.0, dtype=torch.float64))


def test_constant_coordinates_do_not_divide_by_zero():
    model = models.build("nn", 2).double()
    z = torch.tensor([[1.0, 2.0], [1.0, 3.0]], dtype=torch.float64)
    model.standardize(z, torch.zeros_like(z))
    assert torch.isfinite(model.vector_field(0.0, z)).all()


@pytest.mark.parametrize("name", models.names())
def test_the_field_works_under_vmap_and_differentiates_twice(name):
    model, z = random_model(name)
    assert_close(vmap(lambda state: model.vector_field(0.0, state))(z), model.vector_field(0.0, z))
    second = vmap(jacrev(jacrev(lambda state: model.vector_field(0.0, state))))(z)
    assert second.shape == (20, 4, 4, 4)
    assert torch.isfinite(second).all()


def test_the_network_of_a_hamiltonian_has_no_last_bias():
    last = models.build("hnn", 4).energy.network.layers[-1]
    assert last.bias is None
    assert models.build("nn", 4).network.layers[-1].bias is not None
