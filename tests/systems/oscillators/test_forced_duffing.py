"""The forced Duffing oscillator against exact solutions, its limits, and its suspension."""

import math

import pytest
import torch

import systems
from systems import InputError, Suspension
from systems.testing import check_system

DOUBLE = torch.float64


def test_the_linear_oscillator_follows_its_drive_with_the_amplitude_and_lag_of_the_books():
    """x = a cos(omega t - phi) with a exp(-i phi) = gamma / (alpha - omega^2 + i delta omega)."""
    system = systems.get("forced-duffing", alpha=2.0, beta=0.0)
    response = system.gamma / complex(system.alpha - system.omega**2, system.delta * system.omega)
    t = torch.linspace(0, 30, 31, dtype=DOUBLE)
    angle = torch.polar(torch.ones_like(t), system.omega * t) * response
    exact = torch.stack([angle.real, (1j * system.omega * angle).real], dim=-1)
    torch.testing.assert_close(system.orbit(exact[0], t).z, exact, rtol=0, atol=1e-9)


def test_without_friction_and_drive_it_is_the_hamiltonian_one():
    driven, free = systems.get("forced-duffing", delta=0.0, gamma=0.0), systems.get("duffing")
    z = free.sample(20, seed=0)
    torch.testing.assert_close(driven.vector_field(0.7, z), free.vector_field(0.7, z))


def test_an_orbit_that_begins_at_another_time_begins_at_another_phase():
    system = systems.get("forced-duffing")
    z0 = torch.tensor([0.3, 0.1], dtype=DOUBLE)
    t = torch.linspace(0, 4, 5, dtype=DOUBLE)
    from_zero, a_period_later, half_a_period_later = (
        system.orbit(z0, t + shift * system.period).z for shift in (0.0, 1.0, 0.5)
    )
    torch.testing.assert_close(a_period_later, from_zero, rtol=0, atol=1e-9)
    mirrored = system.orbit(-z0, t).z  # half a period later the drive has the other sign, and so has the orbit
    torch.testing.assert_close(half_a_period_later, -mirrored, rtol=0, atol=1e-9)
    assert (half_a_period_later - from_zero).abs().max() > 0.1


def test_the_suspension_moves_like_the_driven_system_and_needs_no_time():
    system = systems.get("forced-duffing")
    suspended = Suspension(system)
    check_system(suspended)
    z0 = system.sample(5, seed=1)
    t = torch.linspace(2.5, 12.5, 6, dtype=DOUBLE)
    driven, free = system.orbit(z0, t), suspended.orbit(suspended.at(2.5, z0), t)
    torch.testing.assert_close(free.z[..., :2], driven.z, rtol=0, atol=1e-7)
    torch.testing.assert_close(free.z[..., 2], (system.omega * t).cos().expand(5, -1), rtol=0, atol=1e-9)
    moved = suspended.orbit(suspended.at(2.5, z0), t - 2.5)
    torch.testing.assert_close(moved.z, free.z, rtol=0, atol=1e-9)


def test_a_suspension_samples_as_its_system_does_and_bears_its_parameters():
    suspended = Suspension(systems.get("forced-duffing", gamma=0.4))
    box = [(0.9, 1.1), (0.0, 0.1)]
    torch.testing.assert_close(
        suspended.sample(4, seed=3, bounds=box)[:, :2], suspended.driven.sample(4, seed=3, bounds=box), rtol=0, atol=0
    )
    assert suspended.parameters["gamma"] == 0.4
    assert suspended.orbit(suspended.sample(1), torch.tensor([0.0, 1.0])).provenance["autonomous"] is True


def test_only_a_periodic_drive_can_be_suspended():
    with pytest.raises(InputError, match="duffing does not depend on time"):
        Suspension(systems.get("duffing"))


@pytest.mark.parametrize("omega", [0.0, -1.0, math.nan, math.inf])
def test_a_drive_has_a_frequency(omega):
    with pytest.raises(InputError, match="omega"):
        systems.get("forced-duffing", omega=omega)
