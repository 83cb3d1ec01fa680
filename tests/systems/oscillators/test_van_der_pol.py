from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp, trapezoid

import systems

PERIOD, AMPLITUDE, FASTEST, AREA, FLOQUET = 8.4745354180, 2.0228740434, 4.68573756, 19.319846, -3.455333


@dataclass
class Cycle:
    t: np.ndarray
    z: torch.Tensor
    divergence: torch.Tensor


@pytest.fixture(scope="module")
def cycle():
    """One turn of the limit cycle at mu = 2.7, from its right end."""
    system = systems.get("van-der-pol", mu=2.7)
    orbit = system.orbit([AMPLITUDE, 0.0], torch.linspace(0, PERIOD, 10_001, dtype=torch.float64))
    return Cycle(orbit.t.numpy(), orbit.z, system.divergence(orbit.z))


def right_turn(mu):
    """(x, period) of the limit cycle where v falls through zero, by SciPy from far away."""
    system = systems.get("van-der-pol", mu=mu)

    def field(t, z):
        return system.vector_field(t, torch.from_numpy(z)).numpy()

    def turns(t, z):
        return z[1]

    turns.direction = -1
    settled = 40 / mu  # deviations decay by about exp(-mu t)
    found = solve_ivp(field, (0, settled + 20), [2.0, 0.0], "DOP853", events=turns, rtol=1e-12, atol=1e-12)
    return found.y_events[0][-1][0], np.diff(found.t_events[0])[-1]


def test_the_orbit_from_rest_passes_the_reference_points():
    z = systems.get("van-der-pol").orbit([1.0, 0.0], [0.0, 5.0, 10.0]).z[1:]
    expected = torch.tensor([[-0.61397453, 1.44643772], [-1.80904662, -2.11727036]], dtype=torch.float64)
    torch.testing.assert_close(z, expected, rtol=0, atol=1e-8)


def test_the_limit_cycle_closes_after_its_period(cycle):
    torch.testing.assert_close(cycle.z[-1], cycle.z[0], rtol=0, atol=1e-8)


def test_half_a_period_leads_to_the_opposite_point(cycle):
    torch.testing.assert_close(cycle.z[5000], -cycle.z[0], rtol=0, atol=1e-8)


def test_the_largest_velocity_on_the_limit_cycle(cycle):
    # the largest of 10^4 samples misses the peak by less than (dt / 2)^2 / 2 times its curvature, here below 100
    assert float(cycle.z[:, 1].max()) == pytest.approx(FASTEST, abs=1e-5)


def test_the_largest_excursion_is_where_the_velocity_vanishes(cycle):
    assert float(cycle.z[:, 0].max()) == pytest.approx(AMPLITUDE, abs=1e-9)


def test_the_area_of_the_limit_cycle(cycle):
    # the integral of v dx = v^2 dt over a period, in which the trapezoidal rule is exact to rounding
    assert trapezoid(cycle.z[:, 1].numpy() ** 2, cycle.t) == pytest.approx(AREA, abs=1e-6)


def test_the_floquet_exponent_is_the_mean_divergence(cycle):
    assert trapezoid(cycle.divergence.numpy(), cycle.t) / PERIOD == pytest.approx(FLOQUET, abs=1e-6)


@pytest.mark.parametrize(
    ("mu", "period", "amplitude"), [(2.7, PERIOD, AMPLITUDE), (1.0, 6.66328686, 2.00861986), (0.1, 6.28711127, None)]
)
def test_orbits_from_elsewhere_end_on_the_limit_cycle(mu, period, amplitude):
    found_amplitude, found_period = right_turn(mu)
    assert found_period == pytest.approx(period, abs=1e-8)
    if amplitude:
        assert found_amplitude == pytest.approx(amplitude, abs=1e-8)


def test_all_samples_are_drawn_to_the_limit_cycle():
    system = systems.get("van-der-pol")
    late = system.orbit(system.sample(20), torch.linspace(0, 40, 401, dtype=torch.float64)).z[:, -100:]
    torch.testing.assert_close(late[..., 0].amax(-1), torch.full((20,), AMPLITUDE, dtype=torch.float64), rtol=0, atol=0.02)


def test_without_damping_it_is_harmonic():
    z = systems.get("van-der-pol", mu=0.0).orbit([1.0, 0.0], [0.0, torch.pi]).z[1]
    torch.testing.assert_close(z, torch.tensor([-1.0, 0.0], dtype=torch.float64), rtol=0, atol=1e-10)
