"""Fits to measurements of real pendulums, against what the same recordings give without equations of motion."""

from itertools import pairwise
from math import pi

import numpy as np
import pytest
from scipy.special import ellipk

import systems
from systems import AccuracyWarning


def swings(t, x):
    """The frequency of small oscillations and the amplitude of each half swing, from zero crossings and extremes.

    A swing of amplitude A lasts 4 K(sin(A / 2)) / frequency.
    """
    place = np.flatnonzero((x[:-1] < 0) != (x[1:] < 0))
    crossings = t[place] - x[place] * np.diff(t)[place] / np.diff(x)[place]
    high = np.array([np.abs(x[a + 1 : b + 1]).max() for a, b in pairwise(place)])
    return 2 * ellipk(np.sin(high / 2) ** 2) / np.diff(crossings), high, (crossings[:-1] + crossings[1:]) / 2


def test_a_free_swing(data, damped_pendulum):
    """Encoder angles at 1 kHz, of which every tenth is enough; the first 0.3 s were driven by hand."""
    degrees = np.loadtxt(data / "jensenbenard_free_swing_01.txt", skiprows=2)
    t = np.arange(len(degrees)) / 1000
    part = slice(400, 3000, 10)
    with pytest.warns(AccuracyWarning, match="not white noise"):  # the bearing has dry friction
        fit = systems.fit(damped_pendulum(5.0, 0.0), systems.Orbit.of(np.radians(degrees[part]), t[part], ("theta",)))
    frequency, high, when = swings(t[400:3000], np.radians(degrees[400:3000]))
    decay = -2 * np.polyfit(when, np.log(high), 1)[0]
    assert fit.parameters["frequency"] == pytest.approx(frequency.mean(), rel=0.01)
    assert 2 * pi / fit.parameters["frequency"] == pytest.approx(0.575, rel=0.01)  # as the source of the recording has it
    assert fit.parameters["damping"] == pytest.approx(decay, rel=0.15)


def test_the_pendulum_of_schmidt_and_lipson(data, damped_pendulum):
    """Angles at 6 Hz with gaps. Their velocities are from another filter, so only angles are fitted."""
    columns = np.loadtxt(data / "schmidt_lipson_real_pend_h_1.txt", skiprows=1)
    t, theta = columns[:, 1], columns[:, 2]
    with pytest.warns(AccuracyWarning, match="not white noise"):
        fit = systems.fit(damped_pendulum(), systems.Orbit.of(theta, t, ("theta",)))
    early = t < 60  # without gaps
    frequency, high, when = swings(t[early], theta[early])
    assert fit.parameters["frequency"] == pytest.approx(np.median(frequency), rel=0.02)
    assert fit.parameters["damping"] == pytest.approx(-2 * np.polyfit(when, np.log(high), 1)[0], rel=0.3)
    assert fit.noise["theta"] < 0.03 * np.abs(theta).max()
