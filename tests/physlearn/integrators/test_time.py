"""Fields that depend on time: every method asks them at the right times."""

import math

import numpy as np
import pytest
import torch

import systems
from physlearn import integrate, integrators

DRIVEN = {  # steps to t = 6
    "euler": (2000, 4000),
    "rk4": (60, 120),
    "implicit-midpoint": (200, 400),
    "gauss-legendre-4": (60, 120),
    "gauss-legendre-6": (40, 80),
}


@pytest.fixture
def linear():
    """A linear oscillator with a drive, and its steady state as a function of time."""
    system = systems.get("forced-duffing", alpha=2.0, beta=0.0)
    response = system.gamma / complex(system.alpha - system.omega**2, system.delta * system.omega)

    def exact(t):
        x = response * complex(math.cos(system.omega * t), math.sin(system.omega * t))
        return torch.tensor([x.real, (1j * system.omega * x).real], dtype=torch.float64)

    return system, exact


@pytest.mark.parametrize("method", DRIVEN)
def test_methods_keep_their_order_where_the_field_depends_on_time(method, linear):
    system, exact = linear
    ends = torch.tensor([1.3, 7.3], dtype=torch.float64)
    coarse, fine = (
        float((integrate(system, exact(1.3), ends, method, substeps=n).z[-1] - exact(7.3)).norm()) for n in DRIVEN[method]
    )
    assert np.log2(coarse / fine) == pytest.approx(integrators.find(method).order, abs=0.15)


def test_dopri8_follows_a_drive(linear):
    system, exact = linear
    orbit = integrate(system, exact(1.3), torch.tensor([1.3, 7.3], dtype=torch.float64), "dopri8", rtol=1e-11, atol=1e-11)
    torch.testing.assert_close(orbit.z[-1], exact(7.3), rtol=0, atol=1e-8)


@pytest.mark.parametrize("method", ["leapfrog", "yoshida-4", "yoshida-6", "symplectic-euler", "tao-4"])
def test_methods_for_hamiltonians_refuse_a_driven_system(method, linear):
    system, exact = linear
    with pytest.raises((integrators.NotSeparableError, integrators.NotHamiltonianError)):
        integrate(system, exact(0.0), torch.tensor([0.0, 1.0], dtype=torch.float64), method)
