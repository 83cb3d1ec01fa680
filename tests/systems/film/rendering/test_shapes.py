"""Shapes are drawn where they should be, to a small part of a pixel."""

from math import pi

import numpy as np
import pytest

from systems.film.rendering.camera import Camera
from systems.film.rendering.shapes import Disc, boxes, paint


def test_a_disc_is_drawn_where_it_is_asked_for():
    rng, camera = np.random.default_rng(0), Camera((64, 48))
    y, x = np.mgrid[:48, :64]
    for centre in rng.uniform([15, 15], [48, 32], (100, 2)):
        canvas, disc = np.zeros((3, 48, 64), np.float32), [Disc(tuple(centre), 6.0, (200, 0, 0))]
        paint(canvas, disc, boxes(disc, camera), camera)
        drawn = np.rint(canvas[0])
        assert np.array([(drawn * x).sum(), (drawn * y).sum()]) / drawn.sum() == pytest.approx(centre, abs=0.02)
        assert drawn.sum() / 200 == pytest.approx(pi * 6**2, rel=0.005)
