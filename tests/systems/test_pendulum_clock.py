"""The pendulum clock against energy balance and the elliptic integrals of the free pendulum."""

from math import exp, pi, radians, sin

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import ellipe, ellipk

from systems import InputError, IntegrationError
from systems.pendulum_clock import PendulumClock
from systems.testing import check_system

CLOCK = PendulumClock()
CLOCKS = [
    CLOCK,
    PendulumClock(Q=50.0),
    PendulumClock(Q=1000.0),
    PendulumClock(gamma=radians(2.0), Q=100.0, kappa=1e-2),
    PendulumClock(gamma=radians(0.5), Q=100.0, kappa=4e-2),
    PendulumClock(frequency=2 * pi / 2.027),
]


def times(duration, steps):
    return torch.linspace(0, duration, steps + 1, dtype=torch.float64)


def half_swing(clock, amplitude):
    """How long it takes from a turning point to the next, and the amplitude there."""
    t = pi / clock.frequency
    for _ in range(4):  # of Newton, where the velocity vanishes
        orbit = clock.orbit([amplitude, 0.0], [0.0, t])
        t -= float(orbit.z[-1, 1] / orbit.rate[-1, 1])
    return t, -float(orbit.z[-1, 0])


def limit_cycle(clock):
    """The amplitude that a half swing leaves as it was."""
    bracket = 0.8 * clock.amplitude, 1.2 * clock.amplitude
    return brentq(lambda amplitude: half_swing(clock, amplitude)[1] - amplitude, *bracket, xtol=1e-12)


def turning_points(orbit):
    """|theta| where the velocity changes its sign, the sample before it carried there by its acceleration."""
    (theta, omega), alpha = orbit.z.unbind(-1), orbit.rate[:, 1]
    turns = omega[:-1] * omega[1:] < 0
    return (theta - omega**2 / (2 * alpha))[:-1][turns].abs()


def free(z0, t, Q):
    """The damped pendulum without an escapement."""
    field = lambda t, z: (z[1], -sin(z[0]) - z[1] / Q)  # noqa: E731
    return torch.from_numpy(solve_ivp(field, (0, float(t[-1])), z0, "DOP853", t_eval=t, rtol=1e-12, atol=1e-14).y.T)


# the limit cycle


@pytest.mark.parametrize("clock", CLOCKS, ids=repr)
def test_the_pushes_make_up_for_the_damping_at_the_amplitude_of_the_small_swing_law(clock):
    # The loss in a cycle is J / Q with the pendulum's action J = pi A^2 (1 - 5 A^2 / 96 ...): A is larger by 5 A^2 / 192.
    # To first order in 1/Q the energy is as much below its mean before the push as above it thereafter, which cancels;
    # a harmonic swing pushed at its middle has A^2 = 2 gamma kappa / sinh(pi / 2Q), up to 1/(8 Q^2): within 1/Q^2.
    found = limit_cycle(clock)
    assert found == pytest.approx(clock.amplitude, rel=1.1 * 5 * clock.amplitude**2 / 192 + 1 / clock.Q**2)


@pytest.mark.parametrize("clock", CLOCKS, ids=repr)
def test_the_loss_of_the_limit_cycle_is_the_action_of_the_pendulum_over_its_quality(clock):
    m = sin(limit_cycle(clock) / 2) ** 2
    action = 16 * (ellipe(m) - (1 - m) * ellipk(m))
    assert action / clock.Q == pytest.approx(4 * clock.gamma * clock.kappa, rel=2 / clock.Q**2)


@pytest.mark.parametrize("clock", CLOCKS, ids=repr)
def test_the_period_is_that_of_the_free_pendulum_longer_by_a_sixteenth_of_the_amplitude_squared(clock):
    # A push at the middle does not shift the phase; damping lengthens the period by 1/(8 Q^2). Next in A is 11 A^4 / 3072.
    amplitude = limit_cycle(clock)
    period = 2 * half_swing(clock, amplitude)[0] * clock.frequency
    assert period == pytest.approx(4 * ellipk(sin(amplitude / 2) ** 2), rel=1 / (4 * clock.Q**2))
    assert period / (2 * pi) - 1 == pytest.approx(amplitude**2 / 16, abs=amplitude**4 / 250 + 1 / (4 * clock.Q**2))
    assert clock.period * clock.frequency == pytest.approx(period, rel=amplitude**4 / 100 + 1 / (4 * clock.Q**2))


@pytest.mark.parametrize("start", [0.6, 0.9, 1.1, 1.4])
def test_swings_come_back_to_the_limit_cycle_by_two_pi_over_q_a_period(start):
    # the deviation of A^2, which is that of the energy, decays by T(A) / Q, T being longer than 2 pi by A^2 / 16
    periods = 15
    orbit = CLOCK.orbit([start * CLOCK.amplitude, 0.0], times(periods * CLOCK.period + 1, 100 * periods))
    square = turning_points(orbit) ** 2 - limit_cycle(CLOCK) ** 2
    per_half_period = (square[1:] / square[:-1]).log()
    expected = torch.full_like(per_half_period, -pi / CLOCK.Q)
    longer = max(start, 1) ** 2 * CLOCK.amplitude**2 / 16
    assert float(square[0] * (start - 1)) > 0
    torch.testing.assert_close(per_half_period.mean(), expected.mean(), rtol=2 * longer, atol=0)


def test_over_a_cycle_the_pushes_do_the_work_that_damping_takes():
    amplitude = limit_cycle(CLOCK)
    orbit = CLOCK.orbit([amplitude, 0.0], times(2 * half_swing(CLOCK, amplitude)[0], 20_000))
    (theta, omega), alpha = orbit.z.unbind(-1), orbit.rate[:, 1]
    loss = float(torch.trapezoid(omega**2, orbit.t)) / CLOCK.Q
    power = omega * (alpha + theta.sin() + omega / CLOCK.Q)
    assert loss == pytest.approx(4 * CLOCK.gamma * CLOCK.kappa, rel=1e-7)
    edges = 4 * float(power.max()) * float(orbit.t[1])  # where the push sets in and ends, to half a step each, twice
    assert float(torch.trapezoid(power, orbit.t)) == pytest.approx(loss, abs=edges)
    assert float(power.min()) > -1e-15


# rest, and swings too small


def test_at_rest_it_stays_at_rest():
    orbit = CLOCK.orbit([0.0, 0.0], times(1000, 10))
    assert not orbit.z.any()
    assert not orbit.rate.any()


@pytest.mark.parametrize("start", [-0.99, 0.5, 0.9])
def test_a_swing_that_does_not_reach_gamma_dies_out_like_a_pendulum_without_a_clock(start):
    z0, t = [start * CLOCK.gamma, 0.0], times(100, 500)
    orbit = CLOCK.orbit(z0, t)
    torch.testing.assert_close(orbit.z, free(z0, t, CLOCK.Q), rtol=0, atol=1e-10)
    _, alpha = orbit.rate.unbind(-1)
    torch.testing.assert_close(alpha, -orbit.z[:, 0].sin() - orbit.z[:, 1] / CLOCK.Q, rtol=0, atol=1e-16)
    turns = turning_points(orbit)
    assert float(turns[-1] / turns[0]) == pytest.approx(exp(-pi / 2 / CLOCK.Q * (len(turns) - 1)), rel=CLOCK.gamma**2)


def test_too_weak_a_clock_stops():
    clock = PendulumClock(Q=8.0)
    assert clock.amplitude < 0.9 * clock.gamma
    turns = turning_points(clock.orbit([3 * clock.gamma, 0.0], times(90, 1000)))
    assert float(turns[-1]) < 0.1 * clock.gamma


@pytest.mark.parametrize("side", [1, -1])
def test_the_latch_is_set_by_a_swing_that_just_passes_gamma_and_not_by_one_that_just_fails(side):
    # from the middle, without a push, at a speed that just brings it to gamma, and back
    def top(speed):
        t = np.linspace(0, 2, 2001)
        theta, omega = free([0.0, speed], t, CLOCK.Q).unbind(-1)
        last = int((omega > 0).nonzero()[-1])
        return float(theta[last] + omega[last] ** 2 / 2 / sin(theta[last]))

    speed = brentq(lambda speed: top(speed) - CLOCK.gamma, CLOCK.gamma, 1.1 * CLOCK.gamma, xtol=1e-13)
    z0 = torch.tensor([[0.0, side * (speed - 1e-9)], [0.0, side * (speed + 1e-9)]], dtype=torch.float64)
    fails, passes = CLOCK.orbit(z0, times(1.5 * pi, 1000), latched=False)
    push = side * (passes.rate[:, 1] + passes.z[:, 0].sin() + passes.z[:, 1] / CLOCK.Q)
    assert float(push.min()) == pytest.approx(-CLOCK.kappa)
    assert float(push[:300].abs().max()) < 1e-15
    push = fails.rate[:, 1] + fails.z[:, 0].sin() + fails.z[:, 1] / CLOCK.Q
    assert float(push.abs().max()) < 1e-15


def test_a_start_with_the_latch_released_is_pushed_only_after_its_first_swing():
    t = times(6, 600)
    z0 = [0.0, 0.09]
    coasting, pushed = CLOCK.orbit(z0, t, latched=False), CLOCK.orbit(z0, t)
    first_swing = t < 1.5
    torch.testing.assert_close(coasting.z[first_swing], free(z0, t, CLOCK.Q)[first_swing], rtol=0, atol=1e-11)
    torch.testing.assert_close(pushed.rate, CLOCK.vector_field(0.0, pushed.z), rtol=0, atol=1e-15)
    later = ~first_swing
    torch.testing.assert_close(coasting.rate[later], CLOCK.vector_field(0.0, coasting.z)[later], rtol=0, atol=1e-15)
    assert not torch.allclose(coasting.rate, CLOCK.vector_field(0.0, coasting.z), rtol=0, atol=CLOCK.kappa / 2)


# its samples, and its place among the systems


@pytest.mark.parametrize("clock", CLOCKS, ids=repr)
def test_it_keeps_the_contract_of_a_system(clock):
    check_system(clock)


def test_samples_lie_on_both_sides_of_the_limit_cycle_and_all_keep_swinging():
    z = CLOCK.sample(200)
    radius = z.norm(dim=-1)
    assert float(radius.min()) > CLOCK.gamma
    assert 0.1 < float((radius < CLOCK.amplitude).double().mean()) < 0.9
    few = CLOCK.orbit(z[radius.argsort()[:3]], times(40, 400))
    assert float(few.z[:, 200:, 0].amax(-1).min()) > 2 * CLOCK.gamma


def test_samples_keep_to_the_amplitudes_asked_for_in_every_unit():
    clock = PendulumClock(frequency=3.0)
    theta, omega = clock.sample(100, amplitude=(0.02, 0.03)).unbind(-1)
    radius = torch.hypot(theta, omega / 3)
    assert 0.02 <= float(radius.min()) < 0.022
    assert 0.028 < float(radius.max()) <= 0.03


# wrong arguments


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"gamma": 0.0}, "gamma of a pendulum clock must be positive, not 0.0"),
        ({"Q": -1.0}, "Q of a pendulum clock must be positive, not -1.0"),
        ({"kappa": float("nan")}, "kappa of pendulum-clock must be a finite number, not nan"),
        ({"frequency": float("inf")}, "frequency of pendulum-clock must be a finite number, not inf"),
    ],
)
def test_impossible_clocks_are_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        PendulumClock(**parameters)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.0], [1.0, 0.0]), "times must increase: the latch of a pendulum clock cannot be followed back in time"),
        (([0.1, 0.0], [0.0, 1.0, 0.5]), "strictly increase or strictly decrease"),
        (([0.1, 0.0, 0.0], [0.0, 1.0]), r"2 coordinates \(theta, omega\)"),
        (([[0.1, 0.0], [float("nan"), 0.0]], [0.0, 1.0]), "finite"),
        (([[0.1, 0.0], [pi, 0.0]], [0.0, 1.0]), r"z0 = \[3.141593, 0.0\] is no swing of a pendulum clock: it turns over"),
        (([0.0, -2.0], [0.0, 1.0]), r"take \|theta\| < pi and \|omega\| < 2 \|cos"),
    ],
)
def test_orbits_that_there_are_not_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        CLOCK.orbit(*arguments)


@pytest.mark.parametrize("solver", ["dopri8", "DOP"])
def test_a_solver_that_finds_no_events_is_refused(solver):
    with pytest.raises(InputError, match=f"DOP853, RK45, Radau, BDF, LSODA, which find events, not by '{solver}'"):
        CLOCK.orbit([0.1, 0.0], [0.0, 1.0], method=solver)


def test_an_orbit_that_cannot_be_followed_is_named():
    with pytest.raises(IntegrationError, match=r"from z0 = \[0.1, 0.1\] cannot be followed beyond t = "):
        PendulumClock(kappa=1e200).orbit([0.1, 0.1], [0.0, 10.0])


def test_a_clock_that_stops_has_no_limit_cycle_to_sample_around():
    with pytest.raises(InputError, match=r"stops, since its amplitude 0.02078 is below gamma=0.02094; .* amplitude="):
        PendulumClock(Q=10.0).sample(5)
    assert PendulumClock(Q=10.0).sample(5, amplitude=(0.1, 0.2)).shape == (5, 2)
    with pytest.raises(InputError, match="0 <= inner < outer"):
        CLOCK.sample(5, amplitude=(0.2, 0.1))


@pytest.mark.parametrize("seed", range(3))
def test_clocks_of_other_parameters_are_systems_too(seed):
    rng = np.random.default_rng(seed)
    amplitude, Q, period = rng.uniform(0.04, 0.15), rng.uniform(50, 1000), rng.uniform(0.5, 3)
    gamma = amplitude * rng.uniform(0.2, 0.5)
    kappa = pi * amplitude**2 / (4 * gamma * Q)
    check_system(PendulumClock(gamma=gamma, Q=Q, kappa=kappa, frequency=2 * pi / period), seed=seed)
