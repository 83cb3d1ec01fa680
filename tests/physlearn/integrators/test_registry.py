"""A method that joins the others by its name."""

import math

import pytest
import torch

from physlearn import integrate, integrators
from physlearn.integrators.registry import INTEGRATORS
from systems import InputError


class Heun(integrators.Integrator):
    """Order 2, explicit."""

    name, order, symplectic = "heun", 2, False

    def step(self, t, z, dt):
        first = self.flow.field(t, z)
        return z + dt * (first + self.flow.field(t + dt, z + dt * first)) / 2


@pytest.fixture
def heun(monkeypatch):
    monkeypatch.setattr(INTEGRATORS, "_registered", dict(INTEGRATORS._registered))
    return integrators.register(Heun)


def test_a_method_joins_by_its_name(heun):
    assert heun is Heun
    assert integrators.names()[-1] == "heun"
    orbit = integrate(
        lambda t, z: -z, torch.ones(1, dtype=torch.float64), torch.linspace(0, 1, 11, dtype=torch.float64), "heun"
    )
    assert abs(orbit.z[-1, 0] - math.exp(-1)) < 1e-3


def test_a_name_is_given_once(heun):
    integrators.register(Heun)

    class Other(Heun):
        pass

    with pytest.raises(InputError, match="the integrator name 'heun' is taken"):
        integrators.register(Other)
