"""Orbits of the pendulum clock against fixed steps of RK4, their symmetries, their units, and themselves in other batches."""

from math import copysign, pi, radians, sin

import pytest
import torch
from scipy.special import ellipe, ellipk

import systems
from systems import InputError
from systems.pendulum_clock import PendulumClock

CLOCK = PendulumClock()


def times(duration, steps):
    return torch.linspace(0, duration, steps + 1, dtype=torch.float64)


def turning_points(orbit):
    """|theta| where the velocity changes its sign, the sample before it carried there by its acceleration."""
    (theta, omega), alpha = orbit.z.unbind(-1), orbit.rate[:, 1]
    turns = omega[:-1] * omega[1:] < 0
    return (theta - omega**2 / (2 * alpha))[:-1][turns].abs()


def by_rk4(clock, z0, latch, t_end, steps):
    """The last state by Runge and Kutta's fixed steps, cut by bisection wherever the push sets in or ends."""

    def step(z, push, h):
        def f(z):
            return z[1], push - sin(z[0]) - z[1] / clock.Q

        def ahead(k, h):
            return z[0] + h * k[0], z[1] + h * k[1]

        k1 = f(z)
        k2 = f(ahead(k1, h / 2))
        k3 = f(ahead(k2, h / 2))
        k4 = f(ahead(k3, h))
        return tuple(z[i] + h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]) for i in (0, 1))

    def phase(z):  # what decides on the push
        return z[1] > 0, z[0] > clock.gamma, z[0] < -clock.gamma

    h, z = t_end / steps, z0
    for _ in range(steps):
        left = h
        while left > 0:
            now = phase(z)
            if now[1] or now[2]:
                latch, push = True, 0.0
            else:
                push = clock.kappa * copysign(1, z[1]) if latch else 0.0
            after = step(z, push, left)
            if phase(after) == now:
                z = after
                break
            low, high = 0.0, left
            for _ in range(60):
                middle = (low + high) / 2
                low, high = (middle, high) if phase(step(z, push, middle)) == now else (low, middle)
            z, left = step(z, push, high), left - high
            if phase(z)[0] != now[0] and abs(z[0]) < clock.gamma:
                latch = False
    return z


@pytest.mark.parametrize(("solver", "error"), [("DOP853", 3e-10), ("LSODA", 3e-9)])
@pytest.mark.parametrize(
    ("z0", "latched"),
    [((0.12, 0.0), True), ((0.0, -0.05), True), ((0.015, 0.06), False), ((0.005, 0.0), False), ((-0.01, 0.02), True)],
)
def test_fixed_steps_that_stop_at_the_events_lead_to_the_same_state(solver, error, z0, latched):
    # RK4's own error is about t h^4 / 120 of the state, here 1e-11 of 0.1; the solver's 1e-12 a step add up in 600 steps
    t = 10 * 2 * pi
    expected = by_rk4(CLOCK, z0, latched and z0[1] != 0, t, 16_000)
    found = CLOCK.orbit(z0, [0.0, t], method=solver, latched=latched).z[-1]
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=error)


def test_wide_swings_through_a_narrow_escapement_get_every_push():
    # a step of the solver would reach across it, and its energy changes by 2 gamma kappa where it is passed
    clock = PendulumClock(gamma=1e-3, Q=1e6, kappa=1e-3)
    turns = turning_points(clock.orbit([1.0, 0.0], times(40, 4000)))
    energy = 1 - turns.cos()
    m = sin(0.5) ** 2
    loss = 8 * (ellipe(m) - (1 - m) * ellipk(m)) / clock.Q
    torch.testing.assert_close(
        energy.diff(), torch.full((len(turns) - 1,), 2e-6 - loss, dtype=torch.float64), rtol=0.01, atol=0
    )


def test_the_mirror_image_of_an_orbit_is_an_orbit():
    z0, t = CLOCK.sample(6), times(30, 200)
    there, mirrored = CLOCK.orbit(z0, t), CLOCK.orbit(-z0, t)
    torch.testing.assert_close(mirrored.z, -there.z, rtol=0, atol=1e-14)
    torch.testing.assert_close(mirrored.rate, -there.rate, rtol=0, atol=1e-14)


def test_orbits_in_a_batch_are_the_orbits_alone():
    z0, t = CLOCK.sample(6).reshape(2, 3, 2), times(20, 50)
    together = CLOCK.orbit(z0, t)
    assert together.shape == (2, 3, 51)
    for i in range(2):
        for j in range(3):
            assert torch.equal(together.z[i, j], CLOCK.orbit(z0[i, j], t).z)
    assert CLOCK.orbit(z0[:0], t).shape == (0, 3, 51)


def test_states_do_not_depend_on_the_other_times_that_are_asked_for():
    z0, t = CLOCK.sample(3), times(40, 400)
    dense = CLOCK.orbit(z0, t)
    for some in (t[::7], t[:2], t[[0, 399]], t[:1]):
        sparse = CLOCK.orbit(z0, some)
        kept = torch.isin(t, some)
        assert torch.equal(sparse.z, dense.z[:, kept])
        assert torch.equal(sparse.rate, dense.rate[:, kept])


def test_an_orbit_goes_on_from_any_of_its_states_and_at_any_date():
    t = times(40, 400)
    orbit = CLOCK.orbit([0.07, 0.0], t)
    for i in (100, 205, 300):
        rest = CLOCK.orbit(orbit.z[i], t[i:])
        torch.testing.assert_close(rest.z, orbit.z[i:], rtol=0, atol=1e-10)


def test_the_rate_is_the_slope_of_the_orbit():
    t = times(13, 13_000)
    orbit = CLOCK.orbit([0.07, 0.0], t)
    slope = (orbit.z[2:] - orbit.z[:-2]) / (2 * float(t[1]))
    error = (slope - orbit.rate[1:-1]).abs().amax(-1)
    switches = orbit.rate[:, 1].diff().abs() > CLOCK.kappa / 2
    smooth = ~(switches[1:] | switches[:-1])
    assert float(error[smooth].max()) < 1e-7  # h^2 / 6 of the third derivative, at most the amplitude
    assert int(switches.sum()) == 8  # on and off in four swings


def test_a_clock_in_seconds_is_the_clock_in_its_own_units():
    frequency = 2 * pi / 2.027
    seconds = PendulumClock(frequency=frequency)
    scale = torch.tensor([1.0, frequency], dtype=torch.float64)
    z0, t = CLOCK.sample(3), times(30, 100)
    own, physical = CLOCK.orbit(z0, t), seconds.orbit(z0 * scale, t / frequency)
    torch.testing.assert_close(physical.z, own.z * scale, rtol=0, atol=1e-9)
    torch.testing.assert_close(physical.rate, own.rate * scale * frequency, rtol=0, atol=1e-9)
    assert seconds.amplitude == CLOCK.amplitude
    assert seconds.period == pytest.approx(CLOCK.period / frequency)


@pytest.mark.parametrize("frequency", [1e-9, 1e9])
def test_a_clock_of_any_speed_is_the_clock_in_its_own_units(frequency):
    scale = torch.tensor([1.0, frequency], dtype=torch.float64)
    z0, t = CLOCK.sample(2), times(30, 50)
    own, physical = CLOCK.orbit(z0, t), PendulumClock(frequency=frequency).orbit(z0 * scale, t / frequency)
    torch.testing.assert_close(physical.z / scale, own.z, rtol=0, atol=1e-11)
    torch.testing.assert_close(physical.rate / scale / frequency, own.rate, rtol=0, atol=1e-11)


def test_an_orbit_tells_where_it_comes_from(tmp_path):
    orbit = systems.get("pendulum-clock", Q=100.0).orbit([0.05, 0.0], [0.0, 1.0], rtol=1e-10, latched=False)
    orbit.save(tmp_path / "orbit.nc")
    told = systems.Orbit.load(tmp_path / "orbit.nc").provenance
    assert told["system"] == "pendulum-clock"
    assert told["parameters"] == {"gamma": radians(1.2), "Q": 100.0, "kappa": 1.62e-3, "frequency": 1.0}
    assert told["solver"] == {"name": "DOP853", "rtol": 1e-10, "atol": 1e-12}
    assert told["latched"] is False


def test_the_compiled_engine_is_refused():
    clock = systems.get("pendulum-clock")
    with pytest.raises(InputError, match="engine='compiled' does not apply, because it does not follow the events of a clock"):
        clock.orbit([0.05, 0.0], [0.0, 1.0], engine="compiled")
    assert clock.orbit([0.05, 0.0], [0.0, 1.0], engine="torch").z.shape == (2, 2)
