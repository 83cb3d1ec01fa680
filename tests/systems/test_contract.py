"""check_system holds coordinates to their declared periods, and comes to one verdict in all units."""

from dataclasses import dataclass, replace
from math import pi
from typing import ClassVar

import pytest
import torch

import systems
from systems import HamiltonianSystem, System
from systems.oscillators import HarmonicOscillator, Pendulum, VanDerPol
from systems.testing import Units, check_periods, check_system


@dataclass(frozen=True)
class Turning(Pendulum):
    periods: ClassVar = {"theta": 2 * pi}


@dataclass(frozen=True)
class PeriodTooShort(Pendulum):
    periods: ClassVar = {"theta": pi}


@dataclass(frozen=True)
class PeriodInDegrees(Pendulum):
    periods: ClassVar = {"theta": 360.0}


@dataclass(frozen=True)
class PeriodOfTheMomentum(Pendulum):
    periods: ClassVar = {"p": 2 * pi}


@dataclass(frozen=True)
class PeriodOfNoCoordinate(Pendulum):
    periods: ClassVar = {"phi": 2 * pi}


@dataclass(frozen=True)
class NegativePeriod(Pendulum):
    periods: ClassVar = {"theta": -2 * pi}


@dataclass(frozen=True)
class Winding(Turning):
    """The force is that of a pendulum; its energy is not."""

    separable: ClassVar = False

    def hamiltonian(self, z):
        return super().hamiltonian(z) + 0.1 * z[..., 0]


@dataclass(frozen=True)
class ForgetsItsPeriods(Turning):
    def orbit(self, z0, t, **options):
        return replace(super().orbit(z0, t, **options), periods={})


def test_an_angle_that_is_one_passes():
    check_system(Turning())


@pytest.mark.parametrize(
    ("system", "said"),
    [
        (PeriodTooShort, "vector_field shifted by a period of theta"),
        (PeriodInDegrees, "vector_field shifted by a period of theta"),
        (PeriodOfTheMomentum, "vector_field shifted by a period of p"),
        (PeriodOfNoCoordinate, "periods are wrong: .*'phi'"),
        (NegativePeriod, "periods are wrong: .*positive"),
        (Winding, "hamiltonian shifted by a period of theta"),
        (ForgetsItsPeriods, "orbit has the periods {}"),
    ],
)
def test_a_wrong_period_is_named(system, said):
    with pytest.raises(AssertionError, match=said):
        check_system(system())


class InUnits(System):
    """A system whose coordinates and time are measured in other units; its orbits are those of the system itself."""

    def __init__(self, inner, sizes, time):
        self.inner, self.time = inner, time
        self.sizes = torch.tensor(sizes, dtype=torch.float64)
        self.name, self.coordinates, self.autonomous = inner.name, inner.coordinates, inner.autonomous
        self.periods = {name: period * sizes[self.coordinates.index(name)] for name, period in inner.periods.items()}
        if hasattr(inner, "divergence"):
            self.divergence = lambda z: inner.divergence(z / self.sizes.to(z)) / time

    @property
    def parameters(self):
        return {}

    def sample(self, n, *, seed=0):
        return self.inner.sample(n, seed=seed) * self.sizes

    def vector_field(self, t, z):
        size = self.sizes.to(z)
        return self.inner.vector_field(t / self.time, z / size) * size / self.time

    def orbit(self, z0, t, **options):
        orbit = self.inner.orbit(z0 / self.sizes, t / self.time, **options)
        rate = orbit.rate * self.sizes / self.time
        return replace(orbit, t=t, z=orbit.z * self.sizes, rate=rate, periods=self.periods)


class HamiltonianInUnits(InUnits, HamiltonianSystem):
    """An energy is what the units of q, p and time make it: q p / t."""

    def hamiltonian(self, z):
        return self.inner.hamiltonian(z / self.sizes) * (self.sizes[0] * self.sizes[-1] / self.time)


UNITS = [((1e-10, 1e-24), 1e-14), ((1e9, 1e-9), 1e3), ((1e-3, 1e12), 1e-9), ((1e12, 1e12), 1e12)]


@dataclass(frozen=True)
class ForceOffByAThousandth(HarmonicOscillator):
    def vector_field(self, t, z):
        return super().vector_field(t, z) * z.new_tensor([1.0, 1.001])


@dataclass(frozen=True)
class WrongDivergence(VanDerPol):
    def divergence(self, z):
        return 1.001 * super().divergence(z)


@pytest.mark.parametrize(("sizes", "time"), UNITS)
def test_the_verdict_is_the_same_in_all_units(sizes, time):
    check_system(HamiltonianInUnits(HarmonicOscillator(), sizes, time))
    check_system(HamiltonianInUnits(Turning(), sizes, time))
    check_system(InUnits(VanDerPol(), sizes, time))
    with pytest.raises(AssertionError, match=r"vector_field as \(dH/dp"):
        check_system(HamiltonianInUnits(ForceOffByAThousandth(), sizes, time))
    with pytest.raises(AssertionError, match="vector_field shifted by a period of theta"):
        check_system(HamiltonianInUnits(PeriodTooShort(), sizes, time))
    with pytest.raises(AssertionError, match="divergence"):
        check_system(InUnits(WrongDivergence(), sizes, time))


def test_a_clock_pushes_its_pendulum_at_the_middle_however_often_that_has_turned():
    clock = systems.get("pendulum-clock")
    z = torch.tensor([[0.0, 0.1], [0.01, -0.1], [0.1, 0.1]], dtype=torch.float64)
    for turns in (-3, 1, 2):
        on = z + torch.tensor([2 * pi * turns, 0.0], dtype=torch.float64)
        assert torch.allclose(clock.vector_field(0.0, on), clock.vector_field(0.0, z), rtol=0, atol=1e-12)


@dataclass(frozen=True)
class NarrowWindow(Turning):
    """A force in a window that no sample lies in, though orbits cross it, and that does not turn with the angle."""

    separable: ClassVar = False

    def vector_field(self, t, z):
        inside = (z[..., :1].abs() < 0.02).to(z)
        return super().vector_field(t, z) + torch.cat([torch.zeros_like(inside), inside], -1)


def test_orbits_show_what_samples_miss():
    z = NarrowWindow().sample(8)
    assert float(z[:, 0].abs().min()) > 0.02
    system = NarrowWindow()
    units = Units.of(system, z)
    check_periods(system, z, 0.0, units)
    states = Turning().orbit(z, torch.linspace(0, 10, 101, dtype=torch.float64)).z.flatten(0, 1)
    with pytest.raises(AssertionError, match="shifted by a period of theta"):
        check_periods(system, states, 0.0, units)
