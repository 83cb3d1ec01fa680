"""Tao's doubled phase space: its order, its way back, and what it tells of the distance between the copies."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from physlearn import integrate, integrators
from physlearn.flow import Flow

Z0 = torch.tensor([1.2, -0.4], dtype=torch.float64)


def told(orbit):
    return orbit.provenance["integrator"]


def test_the_error_falls_with_the_fourth_order_at_a_fixed_omega_where_h_does_not_split(tao_oscillator):
    end = torch.tensor([0.0, 3.0], dtype=torch.float64)
    exact = tao_oscillator.orbit(Z0, end).z[-1]
    steps = np.array([300, 600, 1200])
    errors = [
        float((integrate(tao_oscillator, Z0, end, "tao-4", substeps=int(n), omega=5.0).z[-1] - exact).norm()) for n in steps
    ]
    assert -np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(4, abs=0.1)


def test_steps_forward_and_back_in_the_doubled_space_lead_home(tao_oscillator):
    method, t = integrators.find("tao-4")(Flow.of(tao_oscillator), omega=6.0), torch.tensor(0.0)
    start = method.start(Z0, 0.05) + torch.tensor([0.0, 0.0, 0.01, -0.02], dtype=torch.float64)
    doubled = start
    for h in [0.05] * 50 + [-0.05] * 50:
        doubled = method.step(t, doubled, h)
    assert_close(doubled, start, rtol=0, atol=1e-12)


def test_the_copies_play_equal_parts(tao_oscillator):
    """The doubled Hamiltonian is the same with the copies exchanged; the splitting keeps that to its own order."""
    t = torch.tensor([0.0, 0.02], dtype=torch.float64)
    first = integrate(tao_oscillator, Z0, t, "tao-4", omega=10.0)
    assert told(first)["copy_gap"] < 1e-5


def test_the_gap_told_is_the_largest_distance_of_the_copies(tao_oscillator):
    h, t = 0.05, torch.arange(101, dtype=torch.float64) * 0.05
    method = integrators.find("tao-4")(Flow.of(tao_oscillator), omega=6.0)
    doubled, gaps = method.start(Z0, h), []
    for time in t[:-1]:
        doubled = method.step(time, doubled, h)
        gaps.append(float((doubled[:2] - doubled[2:]).norm()))
    assert told(integrate(tao_oscillator, Z0, t, "tao-4", omega=6.0))["copy_gap"] == pytest.approx(max(gaps), rel=1e-9)


def test_the_gap_told_is_that_of_the_worst_orbit_of_a_batch(tao_oscillator):
    t = torch.arange(101, dtype=torch.float64) * 0.05
    z0 = torch.stack([0.1 * Z0, Z0])
    alone = [told(integrate(tao_oscillator, z, t, "tao-4", omega=6.0))["copy_gap"] for z in z0]
    assert told(integrate(tao_oscillator, z0, t, "tao-4", omega=6.0))["copy_gap"] == pytest.approx(max(alone), rel=1e-9)


def test_a_gap_between_times_asked_for_is_told_too(tao_oscillator):
    t = torch.arange(101, dtype=torch.float64) * 0.05
    every = told(integrate(tao_oscillator, Z0, t, "tao-4", omega=6.0))["copy_gap"]
    sparse = told(integrate(tao_oscillator, Z0, t[[0, -1]], "tao-4", omega=6.0, substeps=100))["copy_gap"]
    assert sparse == pytest.approx(every, rel=1e-9)


def test_an_orbit_that_diverged_does_not_tell_of_copies_that_are_close(tao_oscillator):
    t = torch.arange(51, dtype=torch.float64)
    orbit = integrate(tao_oscillator, 3 * Z0, t, "tao-4", omega=0.3, substeps=1)
    assert not torch.isfinite(orbit.z[-1]).all()  # steps far too long for this orbit
    assert not told(orbit)["copy_gap"] < float("inf")


def test_the_default_omega_is_told_and_turns_the_copies_by_the_same_angle_at_every_step(tao_oscillator):
    omegas = {}
    for h in (0.1, 0.01):
        orbit = integrate(tao_oscillator, Z0, torch.tensor([0.0, h], dtype=torch.float64), "tao-4")
        omegas[h] = told(orbit)["omega"]
    # between 0.2 and 0.5, where the copies stay together
    assert 0.2 <= omegas[0.1] * 0.1 <= 0.5
    assert omegas[0.01] * 0.01 == pytest.approx(omegas[0.1] * 0.1)


@pytest.mark.parametrize("direction", [1, -1])
def test_it_goes_either_way_in_time(tao_oscillator, direction):
    t = direction * torch.linspace(0, 2, 401, dtype=torch.float64)
    exact = tao_oscillator.orbit(Z0, t).z
    assert_close(integrate(tao_oscillator, Z0, t, "tao-4", omega=20.0).z, exact, rtol=0, atol=1e-4)
