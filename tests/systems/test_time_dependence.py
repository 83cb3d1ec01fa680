"""Fields that depend on time are treated so, whatever their systems declare."""

import math
from dataclasses import dataclass

import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.chaos import classify, periodic_orbit
from systems import AccuracyWarning, InputError

PERIOD = 2 * math.pi / 1.2
START = torch.tensor([0.1, 0.2], dtype=torch.float64)


class Driven(systems.System):
    """The forced Duffing oscillator, without a word on time."""

    coordinates = ("x", "v")
    drive = 0.5

    def vector_field(self, t, z):
        x, v = z.unbind(-1)
        force = self.drive * torch.cos(1.2 * torch.as_tensor(t, dtype=z.dtype))
        return torch.stack([v, x - x**3 - 0.3 * v + force], -1)

    def sample(self, n, *, seed=0):
        return START.expand(n, 2).clone()


class Periodic(Driven):
    period = PERIOD


class SaidToBeAutonomous(Periodic):
    autonomous = True
    drive = 0.2


def test_a_system_with_a_period_is_not_autonomous():
    assert not Periodic().autonomous
    assert not systems.get("forced-duffing").autonomous
    assert systems.get("van-der-pol").autonomous
    assert systems.get("pendulum-clock").autonomous


@pytest.mark.parametrize("system", [Periodic(), Driven()])
def test_chaos_of_a_driven_oscillator_is_not_excluded(system):
    assert classify(system, START[None], 600.0).to_frame()["class"].tolist() == ["chaotic"]


def test_the_periodic_orbit_has_the_period_of_the_drive_and_multipliers_of_the_damping():
    found = periodic_orbit(SaidToBeAutonomous(), torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert float(found.period) == pytest.approx(PERIOD, rel=1e-12)
    assert abs(complex(found.multipliers.prod())) == pytest.approx(math.exp(-0.3 * PERIOD), rel=1e-9)  # Liouville


class Pushed(Driven):
    """Pushed once, from t = 2.5 to 3.5 of 5, by a force that code for compilation cannot be made of."""

    def vector_field(self, t, z):
        x, v = z.unbind(-1)
        return torch.stack([v, x - x**3 - 0.3 * v + (0.5 if 2.5 < float(t) < 3.5 else 0.0)], -1)


@pytest.mark.parametrize("system", [Periodic(), Driven(), SaidToBeAutonomous(), Pushed()])
def test_no_model_learns_orbits_of_a_field_that_depends_on_time_as_if_it_did_not(system):
    orbit = system.orbit(START, torch.linspace(0, 5, 20))
    assert orbit.provenance["autonomous"] is False
    with pytest.raises(InputError, match="does not depend on time"):
        Forecaster("linear").fit(orbit)


@dataclass(frozen=True)
class Counted(Driven):
    """The same, with a drive that begins at a time."""

    autonomous = False
    begin: float = 0.0

    def vector_field(self, t, z):
        return super().vector_field(torch.as_tensor(t, dtype=torch.float64) - self.begin, z)


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_a_drive_without_a_period_is_as_exact_as_times_since_1970_and_says_so(engine):
    since = torch.linspace(0, 20, 21, dtype=torch.float64)
    late = Counted(1.7e9)
    with pytest.warns(AccuracyWarning, match="declare the period of the system, or count the time from the start"):
        orbit = late.orbit(START, late.begin + since, engine=engine)
    off = (orbit.z - Counted().orbit(START, since).z).abs().max()
    assert off < 1e-4  # such times are rounded to 2e-7
    early = Counted().orbit(START, 100.0 + since, engine=engine)
    assert early.provenance["solver"]["atol"] < 1e-13
