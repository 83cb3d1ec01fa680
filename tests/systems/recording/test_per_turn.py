"""Estimates of the states per turn agree for a sampled oscillation, and differ for noise as they say."""

import math

import numpy as np
import pytest

from systems.recording import per_turn

TURNS = 50


def oscillation(states, noise=0.0):
    phase = 2 * np.pi * np.arange(TURNS * states) / states
    return np.sin(phase) + noise * np.random.default_rng(0).normal(size=len(phase)), np.cos(phase)


@pytest.mark.parametrize("states", [6, 12, 60])
def test_all_know_the_states_per_turn_of_an_exact_oscillation(states):
    x, rate = oscillation(states)
    assert per_turn.of_noisy([x]) == pytest.approx(states, rel=0.02)
    assert per_turn.of_steps([x]) == pytest.approx(states, rel=0.02)
    assert per_turn.of_rates(x[:, None], rate[:, None], 2 * np.pi / states) == pytest.approx(states, rel=0.02)


def test_noise_does_not_move_the_first_and_looks_like_motion_to_the_second():
    noisy, _ = oscillation(12, noise=1.0)
    assert per_turn.of_noisy([noisy]) == pytest.approx(12, rel=0.2)
    assert per_turn.of_steps([noisy]) < 6
    white = np.random.default_rng(1).normal(size=20_000)
    assert per_turn.of_steps([white]) == pytest.approx(4, rel=0.02)


def test_the_fastest_coordinate_counts_in_any_unit():
    slow, fast = oscillation(60), oscillation(12)
    n = len(fast[0])
    z, rate = (np.stack([1e-9 * a[:n], 1e9 * b], axis=1) for a, b in zip(slow, fast, strict=True))
    rate[:, 0] *= 12 / 60
    assert [per_turn.of_steps([x]) for x in z.T] == pytest.approx([60, 12], rel=0.02)
    assert per_turn.of_rates(z, rate, 2 * np.pi / 12) == pytest.approx(12, rel=0.02)


def test_what_stands_still_has_infinitely_many():
    still = np.full((20, 1), 3.0)
    assert per_turn.of_steps([still[:, 0]]) == np.inf
    assert per_turn.of_rates(still, np.zeros_like(still), 0.1) == np.inf


@pytest.mark.parametrize("noise", [0.0, 0.7])
@pytest.mark.parametrize("states", [4.5, 7.0, 13.0])
def test_the_values_in_a_turn_are_counted_whatever_the_noise_is(states, noise):
    random = np.random.default_rng(0)
    x = np.cos(2 * np.pi * np.arange(60_000) / states + 0.3) + noise * random.normal(size=60_000)
    for runs in ([x], [3 * one for one in np.split(x, 20)], [x, np.ones(1), np.zeros(2)]):
        assert per_turn.of_noisy(runs) == pytest.approx(states, rel=0.03)


@pytest.mark.parametrize(
    ("x", "states"),
    [
        ([1.0, -1.0] * 50, 2.0),
        ([1.0, -0.5, -0.5] * 50, 2.0),  # three in a turn: neighbours differ in sign on average
        ([0.0] * 9, math.inf),
        ([1.0] * 3, math.inf),
        ([1.0], math.inf),
        ([0.1, 0.1, 0.0], 2 * math.pi / math.acos(math.sqrt(8) / 4)),
    ],
)
def test_signals_that_do_not_turn_and_those_of_few_values_a_turn(x, states):
    assert per_turn.of_noisy([np.array(x)]) == pytest.approx(states, rel=1e-9)
