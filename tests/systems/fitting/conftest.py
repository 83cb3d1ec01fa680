"""What the tests of fits share: measured orbits, and a damped pendulum as a user would write it."""

from dataclasses import dataclass
from math import pi
from typing import ClassVar

import pytest
import torch

import systems
from systems.sampling import box


@dataclass(frozen=True)
class DampedPendulum(systems.System):
    frequency: float = 1.0
    damping: float = 0.1
    coordinates: ClassVar = ("theta", "omega")
    periods: ClassVar = {"theta": 2 * pi}

    def vector_field(self, t, z):
        theta, omega = z.unbind(-1)
        return torch.stack([omega, -self.damping * omega - self.frequency**2 * theta.sin()], dim=-1)

    def sample(self, n, *, seed=0):
        return box(n, ((-1.0, 1.0), (-1.0, 1.0)), seed)


@dataclass(frozen=True)
class DampedOscillator(DampedPendulum):
    periods: ClassVar = {}

    def vector_field(self, t, z):
        x, v = z.unbind(-1)
        return torch.stack([v, -self.damping * v - self.frequency**2 * x], dim=-1)


@pytest.fixture(scope="session")
def damped_pendulum():
    return DampedPendulum


@pytest.fixture(scope="session")
def damped_oscillator():
    return DampedOscillator


@pytest.fixture(scope="session")
def measure():
    """The states of an orbit with normal noise: ``measure(orbit, noise, coordinates=None, seed=0)``."""

    def measure(orbit, noise, coordinates=None, seed=0):
        names = coordinates or orbit.coordinates
        random = torch.randn(orbit.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        z = (orbit.z + noise * random)[..., [orbit.index(name) for name in names]]
        return systems.Orbit(orbit.t, z, None, names, periods={k: v for k, v in orbit.periods.items() if k in names})

    return measure
