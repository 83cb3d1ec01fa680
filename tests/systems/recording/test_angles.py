"""Recorded angles: turns are unwrapped, and what only looks like an angle must be declared."""

from math import pi

import numpy as np
import pytest
import torch

import systems
from systems import InputError, Orbit

FPS, FREQUENCY, AMPLITUDE = 30.0, 3.1, 0.1
T = np.arange(900) / FPS
SWING = AMPLITUDE * np.cos(FREQUENCY * T)
VELOCITY = -FREQUENCY * AMPLITUDE * np.sin(FREQUENCY * T)


@pytest.fixture(scope="module")
def rotation():
    """Times, angles and velocities of a pendulum that turns over 6 times."""
    t = torch.arange(600, dtype=torch.float64) / FPS
    orbit = systems.get("pendulum").orbit([0.1, 2.5], t)
    return t.numpy(), *orbit.z.numpy().T


def wrapped(angle, period=2 * pi, start=-0.5):
    return (angle / period - start) % 1 * period + start * period


@pytest.mark.parametrize("start", [-0.5, 0.0, 0.3])
@pytest.mark.parametrize(("unit", "turn"), [("rad", 2 * pi), ("deg", 360.0), ("turn", 1.0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_recorded_rotation_is_unwrapped(write, rotation, unit, turn, start, sign):
    t, theta, omega = rotation
    scale = sign * turn / (2 * pi)
    (orbit,) = Orbit.from_csv(write(f"t,theta [{unit}]", t, wrapped(scale * theta, turn, start)))
    assert orbit.periods == {"theta": turn}
    at = np.isin(t, orbit.t)
    turns = (orbit.z[:, 0].numpy() - scale * theta[at]) / turn
    np.testing.assert_allclose(turns, round(turns[0]), atol=1e-3)
    np.testing.assert_allclose(orbit.z[:, 1], scale * omega[at], rtol=0, atol=0.03 * abs(scale))


def test_a_rotation_with_its_own_rates_is_unwrapped_too(write, rotation):
    t, theta, omega = rotation
    (orbit,) = Orbit.from_csv(write("t,theta,omega,alpha", t, wrapped(theta), omega, -np.sin(theta)))
    np.testing.assert_allclose(orbit.z[:, 0].numpy() - theta, float(orbit.z[0, 0] - theta[0]), atol=1e-12)


def test_an_angle_that_is_recorded_over_many_turns_stays_as_it_is(write):
    """4 rad from frame to frame: more than half a turn, but no jump."""
    theta = 4.0 * np.arange(900) + SWING
    (orbit,) = Orbit.from_csv(write("t,theta", T, theta), window=31)
    np.testing.assert_allclose(orbit.z[:, 1], 4 * FPS + VELOCITY[15:-15], rtol=0, atol=1e-3)


def test_a_lost_turn_of_an_unwrapped_angle_is_put_back(write, rotation):
    t, theta, omega = rotation
    lost = theta - 2 * pi * (t > 7) + 4 * pi * (t > 13)
    (orbit,) = Orbit.from_csv(write("t,theta", t, lost))
    np.testing.assert_allclose(orbit.z[:, 1], omega[np.isin(t, orbit.t)], rtol=0, atol=0.03)


@pytest.mark.parametrize("rows", [300, 600])
@pytest.mark.parametrize(("unit", "turn"), [("deg", 360.0), ("rad", 2 * pi)])
@pytest.mark.parametrize("speed", [5 / 9, -1 / 7])  # turns per second
def test_the_window_of_a_steady_rotation_is_half_a_turn(write, rows, unit, turn, speed):
    t = 0.05 * np.arange(rows)
    (orbit,) = Orbit.from_csv(write(f"t,theta [{unit}]", t, speed * turn * t % turn))
    # the periodogram tells the 36 or 140 samples of a turn to a tenth where the record holds two
    assert orbit.provenance["filter"]["window"] == pytest.approx(10 / abs(speed), rel=0.1)
    np.testing.assert_allclose(orbit.z[:, 1], speed * turn, rtol=1e-9)
    np.testing.assert_allclose(orbit.rate[:, 1], 0, atol=1e-6 * turn)


@pytest.mark.parametrize("turns", [0.0, 1e3, -1e6])
def test_angles_many_turns_away_have_the_same_rates(write, turns):
    (orbit,) = Orbit.from_csv(write("t,theta", T, SWING + 2 * pi * turns))
    (near,) = Orbit.from_csv(write("t,theta", T, SWING))
    # the file's own rounding, 5e-10 at 6e6 rad, and the second derivative's weights, together .03 of 30^2
    np.testing.assert_allclose(orbit.rate, near.rate, rtol=0, atol=1e-12 + 3e-8 * abs(turns) / 1e6)


def test_a_short_gap_is_unwrapped_and_a_long_one_is_not_guessed(write, rotation):
    t, theta, _ = rotation
    angle = wrapped(theta)
    for last, known in ((10.2, True), (14.0, False)):
        keep = (t < 9.9) | (t > last)
        first, second = Orbit.from_csv(write("t,theta,omega,alpha", t[keep], angle[keep], *[np.gradient(theta, t)[keep]] * 2))
        turns = [float(o.z[0, 0] - theta[np.searchsorted(t, float(o.t[0]) - 1e-9)]) / (2 * pi) for o in (first, second)]
        assert (abs(turns[0] - turns[1]) < 1e-9) == known
        assert abs(float(second.z[0, 0])) < pi or known


def test_what_is_no_angle_is_not_unwrapped(write):
    """A saw tooth that falls by 6 from row to row."""
    x = 6.0 * (np.arange(900) % 30) / 29
    path = write("t,theta", T, x)
    (jumps,) = Orbit.from_csv(path, periods={}, window=7, order=3)
    assert jumps.periods == {}
    assert float(jumps.z[:, 1].abs().max()) > 40
    (turns,) = Orbit.from_csv(path, window=7, order=3)
    assert float(turns.z[:, 1].abs().max()) < 10


@pytest.mark.parametrize(("name", "turn"), [("encoder", 2 * pi), ("x", 360.0), ("theta", 360.0)])
def test_what_looks_like_a_wrapped_angle_has_to_be_declared(write, rotation, name, turn):
    t, theta, omega = rotation
    path = write(f"t,{name}", t, wrapped(theta / (2 * pi) * turn, turn, 0.0))
    with pytest.raises(InputError, match=rf"pass periods={{'{name}': {turn:.3g}"):
        Orbit.from_csv(path, angle=name)
    (orbit,) = Orbit.from_csv(path, angle=name, periods={name: turn})
    np.testing.assert_allclose(orbit.z[:, 1], omega[np.isin(t, orbit.t)] / (2 * pi) * turn, rtol=0, atol=0.03 / 6 * turn)


def test_turns_that_cannot_be_counted_are_refused(write):
    path = write("t,theta", T, wrapped(0.47 * 2 * pi * np.arange(900)))
    with pytest.raises(InputError, match="turns cannot be counted"):
        Orbit.from_csv(path)
    with pytest.raises(InputError, match=r"turns cannot be counted|like an angle"):  # degrees, taken for radians
        Orbit.from_csv(write("t,theta", T, wrapped(47.0 * np.arange(900), 360.0)))
