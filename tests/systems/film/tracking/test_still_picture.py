"""The camera's shake from what stands still in front of a plain wall, on pictures that are drawn exactly."""

import numpy as np
import pytest

from systems.film.tracking.still_picture import StillPicture

T = np.arange(90) / 15
SHAKE = 0.4 * np.stack([np.sin(7 * T) + np.sin(11.3 * T), np.cos(5 * T) - np.sin(13.1 * T)], axis=1)
SWING = 0.8 * np.cos(2.9 * T)


def drawn(ring, bar, seed=0):
    """Draw a ring, and a bar below it, at places in each picture [pixels], with noise of two grey levels."""
    y, x = np.mgrid[:90, :160].astype(float)
    noise = np.random.default_rng(seed).normal(0, 2, (len(T), 90, 160))
    pictures = np.full((len(T), 90, 160), 150.0)
    for k in range(len(T)):
        u, v = x - 80 - ring[k, 0], y - 22 - ring[k, 1]
        pictures[k] -= 90 * np.exp(-((np.hypot(u, v) - 12) ** 2) / 3)
        u, v = x - 80 - bar[k, 0], y - 50 - bar[k, 1]
        pictures[k] -= 60 * np.exp(-(u**2) / 3) / (1 + np.exp(np.abs(v) - 14))
    return np.clip(pictures + noise, 0, 255).round().astype(np.uint8)


def test_the_shake_is_measured_beside_something_that_swings():
    swing = SHAKE + np.stack([SWING, 0 * SWING], axis=1)
    pictures = drawn(SHAKE, swing)
    still, shifts = StillPicture.of(pictures)
    true = SHAKE - SHAKE[0]
    # a median over shaken pictures is less steep than each of them, which makes shifts a few per cent too large
    np.testing.assert_allclose(shifts, true, atol=0.12)
    assert np.std(shifts - true) < 0.05
    later = [still.shift(picture) for picture in pictures[::10]]
    np.testing.assert_allclose(later, shifts[::10] @ [1, 1j], atol=1e-6)


def test_a_camera_that_stands_still_is_not_said_to_shake():
    swing = np.stack([SWING, 0 * SWING], axis=1)
    assert StillPicture.of(drawn(0 * SHAKE, swing)) is None


@pytest.mark.parametrize("size", [(90, 160), (12, 16), (4, 4)])
def test_a_plain_wall_shows_no_shake(size):
    noise = np.random.default_rng(1).normal(150, 3, (30, *size))
    assert StillPicture.of(noise.round().astype(np.uint8)) is None
