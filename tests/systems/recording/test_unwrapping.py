"""Jumps of recorded angles: which are whole turns, and which cannot be told."""

import numpy as np
import pytest

from systems.recording.unwrapping import seems_wrapped, unwrapped

TURN = 360.0


def wrap(x):
    return (x + 180) % TURN - 180


@pytest.mark.parametrize(("gap", "known"), [(4, True), (5, True), (6, False), (9, False), (13, False)])
def test_a_gap_is_bridged_as_far_as_half_a_turn_at_the_largest_speed(gap, known):
    """At 33 degrees per row, half a turn takes 5.45 rows."""
    t = np.r_[0.0:40.0, 39.0 + gap : 80.0]
    angle, joined, unclear = unwrapped(t, wrap(33 * t), TURN, [slice(0, 40), slice(40, len(t))])
    assert (joined, unclear) == ([known], None)
    off = (angle - 33 * t) / TURN
    np.testing.assert_allclose(off[:40], off[0], atol=1e-12)
    np.testing.assert_allclose(off[40:], off[40], atol=1e-12)
    assert angle[40] == wrap(33 * t)[40] or known
    assert off[40] == pytest.approx(off[0], abs=1e-12) or not known


@pytest.mark.parametrize("share", [0.44, 0.46, 0.54, 0.56])
def test_steps_of_about_half_a_turn_are_unclear(share):
    t = np.arange(30.0)
    angle, _, unclear = unwrapped(t, wrap(TURN * share * t), TURN, [slice(0, 30)])
    if abs(share - 0.5) > 0.05:
        assert unclear is None
        np.testing.assert_allclose(np.diff(angle) / TURN, share - round(share), atol=1e-12)
    else:
        assert unclear == 0
        np.testing.assert_array_equal(angle, wrap(TURN * share * t))


@pytest.mark.parametrize("jump", [-2, -1, 1, 3, 0.8, 1.3, -1.6, 2.5])
def test_over_many_turns_only_whole_ones_are_taken_back(jump):
    t = np.arange(100.0)
    x = 20 * t
    angle, _, unclear = unwrapped(t, x + jump * TURN * (t > 49), TURN, [slice(0, 100)])
    if jump == round(jump):
        assert unclear is None
        np.testing.assert_allclose(angle, x, atol=1e-9)
    else:
        assert unclear == 49


def test_over_many_turns_a_jerk_is_no_turn():
    t = np.arange(100.0)
    x = 20 * t + 0.2 * TURN * (t > 49)
    angle, _, unclear = unwrapped(t, x, TURN, [slice(0, 100)])
    assert unclear is None
    np.testing.assert_array_equal(angle, x)


def test_only_the_stretch_that_is_unclear_is_left_as_recorded():
    t = np.r_[0.0:30.0, 32.0:62.0]
    x = wrap(np.where(t < 30, 20 * t, 170 * t))
    angle, joined, unclear = unwrapped(t, x, TURN, [slice(0, 30), slice(30, 60)])
    assert (joined, unclear) == ([False], 30)
    np.testing.assert_allclose(angle[:30], 20 * t[:30], atol=1e-9)
    np.testing.assert_array_equal(angle[30:], x[30:])


@pytest.mark.parametrize(("step", "jumps"), [(0.1, True), (0.2, True), (0.3, False)])
def test_what_jumps_by_three_quarters_of_its_range_seems_wrapped(step, jumps):
    x = TURN * ((step * np.arange(50)) % 1)
    assert seems_wrapped(x, TURN, [slice(0, 50)]) == jumps
    assert not seems_wrapped(2 * x, TURN, [slice(0, 50)])
    assert not seems_wrapped(x, TURN, [slice(i, i + 1) for i in range(50)])
