"""Blur on one side of which the surroundings are darker, against scenes whose exposure is added up."""

import numpy as np
import pytest

from systems.film.tracking.blur import Sharp, displacements
from systems.film.tracking.markers import Paint, blobs

WALL, BRASS, BLUE = np.array([203, 126, 127.0]), np.array([150, 93, 147.0]), np.array([80, 195, 90.0])
RADIUS, SIDE, MIDDLE = 8.0, 80, 39.5


def scene(x, y):
    """A blue marker on a bob that shines towards the upper left, in front of a wall: pixels (y, u, v)."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(columns - x, rows - y)
    shine = 1 - 0.2 * ((columns - x) + (rows - y)) / (2 * RADIUS)
    bob = BRASS * shine[..., None] + np.array([0, 128, 128]) * (1 - shine[..., None])
    picture = np.broadcast_to(WALL, (SIDE, SIDE, 3))
    for radius, paint in ((2 * RADIUS, bob), (RADIUS, BLUE)):
        part = np.clip(radius + 0.5 - away, 0, 1)[..., None]
        picture = part * paint + (1 - part) * picture
    return picture.astype(np.float32)


def exposed(way):
    """The mean of the scene while its bob moves by a way across the middle."""
    return np.mean([scene(MIDDLE + s * way[0], MIDDLE + s * way[1]) for s in np.linspace(-0.5, 0.5, 13)], axis=0)


@pytest.fixture(scope="module")
def sharp():
    picture = exposed((0, 0))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    mask = np.hypot(columns - MIDDLE, rows - MIDDLE) < RADIUS
    return Sharp(picture, Paint.of(picture, mask), np.pi * RADIUS**2, RADIUS)


def centre(sharp, picture):
    seen = blobs(sharp.paint.amount(picture), 0.3 * sharp.mass)
    return min(seen, key=lambda blob: np.hypot(blob.x - MIDDLE, blob.y - MIDDLE))


@pytest.mark.parametrize("way", [(12.0, 0.0), (0.0, -9.0), (8.0, 8.0)])
def test_blur_is_known_to_displace_a_marker_on_a_bob_that_shines(sharp, way):
    still, moved = centre(sharp, sharp.picture), centre(sharp, exposed(way))
    true = np.array([moved.x - still.x, moved.y - still.y])
    found = sharp.blurred(np.array([way]))[0]
    assert np.hypot(*true) > 0.1
    assert np.hypot(*(found[:2] - true)) < 0.25 * np.hypot(*true)
    assert found[2] == pytest.approx(moved.spread, rel=0.1)


@pytest.mark.parametrize(("part", "explained"), [(0.5, True), (0.0, False)])
def test_the_exposure_follows_from_how_long_a_fast_marker_looks(sharp, part, explained):
    step, ways = 1 / 30, np.stack([24 * np.cos(np.arange(36) / 3), np.zeros(36)], axis=1)  # pixels per frame
    seen = [centre(sharp, exposed(part * way)) for way in ways]
    spread, mass = (np.array([getattr(blob, name) for blob in seen]) for name in ("spread", "mass"))
    found = displacements(sharp, ways / step, spread, mass, step)
    if not explained:
        assert (found == 0).all()
        return
    still = centre(sharp, sharp.picture)
    true = np.array([(blob.x - still.x, blob.y - still.y) for blob in seen])
    assert np.abs(true).max() > 0.2
    assert np.abs(found - true).max() < 0.3 * np.abs(true).max()
