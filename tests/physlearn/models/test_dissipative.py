"""A Hamiltonian network with a force that no Hamiltonian has."""

import math

import pytest
import torch

from physlearn import Forecaster, models
from systems import Orbit

GAMMA = 0.2


def damped(z):
    q, p = z.unbind(-1)
    return torch.stack([p, -q - GAMMA * p], dim=-1)


@pytest.fixture(scope="module")
def learned():
    """A damped oscillator q'' = -q - gamma q', learned from one long orbit of each of 20 starts, by its exact solution."""
    t = torch.linspace(0, 6, 61, dtype=torch.float64)
    omega = math.sqrt(1 - GAMMA**2 / 4)
    phase = torch.linspace(0, 2 * math.pi, 21, dtype=torch.float64)[:-1, None]
    q = (-GAMMA * t / 2).exp() * (omega * t + phase).cos()
    p = (-GAMMA * t / 2).exp() * (-GAMMA / 2 * (omega * t + phase).cos() - omega * (omega * t + phase).sin())
    z = torch.stack([q, p], dim=-1)
    orbit = Orbit(t, z, damped(z), ("q", "p"))
    return Forecaster("dissipative-hnn", hidden=(30,)).fit(orbit, epochs=150, progress=False)


@pytest.mark.parametrize("name", ["dissipative-hnn", "dissipative-hnn-mechanical"])
def test_the_force_is_odd_in_the_momenta(name):
    model = models.build(name, dim=4).double()
    model.standardize(torch.randn(50, 4).double() + 3, torch.randn(50, 4).double())
    z = torch.randn(7, 4).double()
    mirrored = z * torch.tensor([1.0, 1.0, -1.0, -1.0])
    torch.testing.assert_close(model.drive(mirrored), -model.drive(z), rtol=0, atol=1e-14)


def test_friction_is_found_and_not_hidden(learned):
    z = torch.tensor([[0.3, 0.5], [-0.4, -0.6], [0.1, 0.7]])
    torch.testing.assert_close(learned.model.drive(z)[:, 0], -GAMMA * z[:, 1], rtol=0, atol=0.03)


def test_the_rest_is_hamiltonian(learned):
    z = torch.tensor([[0.3, 0.5], [-0.4, -0.6]])
    torch.testing.assert_close(
        learned.model.conservative.vector_field(0.0, z), torch.stack([z[:, 1], -z[:, 0]], -1), rtol=0, atol=0.03
    )


def test_its_forecast_decays_as_the_truth(learned):
    t = torch.linspace(0, 6, 61, dtype=torch.float64)
    end = learned.forecast(torch.tensor([1.0, 0.0], dtype=torch.float64), t).z[-1]
    matrix = torch.tensor([[0.0, 1.0], [-1.0, -GAMMA]], dtype=torch.float64)
    torch.testing.assert_close(end, torch.linalg.matrix_exp(6 * matrix)[:, 0], rtol=0, atol=0.05)  # 5 % of the first swing


def test_it_offers_no_hamiltonian_to_symplectic_methods(learned):
    assert not hasattr(learned.model, "hamiltonian")


def test_with_known_masses_positions_change_by_the_momenta_and_by_nothing_else():
    model = models.build("dissipative-hnn-mechanical", dim=4).double()
    model.standardize(torch.randn(50, 4).double(), torch.randn(50, 4).double())
    z = torch.randn(7, 4).double()
    assert torch.equal(model.vector_field(0.0, z)[:, :2], z[:, 2:])
