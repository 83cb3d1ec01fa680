from math import cos, pi, sin

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ellipk

import systems

PERIODS = {0.1: 6.28711455, pi / 2: 7.41629871, 3.0: 16.1555394}
DIGITS = 1e-8  # of the periods above; and half a unit in the last place of the third


@pytest.fixture(scope="module")
def pendulum():
    return systems.get("pendulum")


@pytest.mark.parametrize(("amplitude", "period"), PERIODS.items())
def test_the_reference_periods_are_the_elliptic_integral(amplitude, period):
    assert period == pytest.approx(4 * ellipk(sin(amplitude / 2) ** 2), abs=5 * DIGITS)


@pytest.mark.parametrize(("amplitude", "period"), PERIODS.items())
def test_it_returns_after_its_period_and_is_opposite_after_half_of_it(pendulum, amplitude, period):
    z0 = torch.tensor([amplitude, 0.0], dtype=torch.float64)
    half, whole = pendulum.orbit(z0, [0.0, period / 2, period]).z[1:]
    torch.testing.assert_close(half, -z0, rtol=0, atol=1e-7)
    torch.testing.assert_close(whole, z0, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("amplitude", "period"), PERIODS.items())
def test_it_hangs_down_after_a_quarter_of_its_period_and_no_sooner(pendulum, amplitude, period):
    t = torch.linspace(0, period / 4, 101, dtype=torch.float64)
    theta = pendulum.orbit([amplitude, 0.0], t).z[:, 0]
    assert float(theta[-1]) == pytest.approx(0, abs=1e-7)
    assert bool((theta[:-1] > 0).all())


@given(theta=st.floats(-3, 3), p=st.floats(-3, 3))
def test_a_full_turn_changes_nothing(pendulum, theta, p):
    z = torch.tensor([theta, p], dtype=torch.float64)
    turned = z + torch.tensor([2 * pi, 0.0], dtype=torch.float64)
    torch.testing.assert_close(pendulum.vector_field(0.0, turned), pendulum.vector_field(0.0, z), rtol=0, atol=1e-14)
    torch.testing.assert_close(pendulum.hamiltonian(turned), pendulum.hamiltonian(z), rtol=0, atol=1e-14)


def test_upright_it_stands_with_the_energy_two(pendulum):
    top = torch.tensor([pi, 0.0], dtype=torch.float64)
    assert float(pendulum.hamiltonian(top)) == 2
    assert float(pendulum.vector_field(0.0, top).abs().max()) < 1e-15


@pytest.mark.parametrize(("energy", "turns"), [(1.99, False), (2.01, True)])
def test_it_turns_over_above_the_energy_two_only(pendulum, energy, turns):
    orbit = pendulum.orbit([0.0, (2 * energy) ** 0.5], torch.linspace(0, 50, 501, dtype=torch.float64))
    assert bool((orbit.z[:, 0] > pi).any()) is turns


def test_samples_swing_no_further_than_asked_for(pendulum):
    z = pendulum.sample(500, amplitude=(0.5, 1.0))
    energy = pendulum.hamiltonian(z)
    assert 1 - cos(0.5) - 1e-12 <= float(energy.min())
    assert float(energy.max()) <= 1 - cos(1.0) + 1e-12


@pytest.mark.parametrize(("gravity", "inertia"), [(3.0, 0.5), (0.5, 2.0)])
def test_gravity_hastens_it_and_inertia_slows_it_down(gravity, inertia):
    period = PERIODS[pi / 2] * (inertia / gravity) ** 0.5
    z0 = torch.tensor([pi / 2, 0.0], dtype=torch.float64)
    half, whole = systems.get("pendulum", gravity=gravity, inertia=inertia).orbit(z0, [0.0, period / 2, period]).z[1:]
    torch.testing.assert_close(half, -z0, rtol=0, atol=1e-7)
    torch.testing.assert_close(whole, z0, rtol=0, atol=1e-7)


def test_samples_of_another_pendulum_swing_as_far():
    other = systems.get("pendulum", gravity=3.0, inertia=0.5)
    energy = other.hamiltonian(other.sample(500, amplitude=(0.5, 1.0)))
    assert 3 * (1 - cos(0.5)) - 1e-12 <= float(energy.min())
    assert float(energy.max()) <= 3 * (1 - cos(1.0)) + 1e-12
