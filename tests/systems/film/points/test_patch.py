"""The places of a patch in pictures that are drawn exactly."""

import numpy as np
import pytest

from systems.film.points.patch import patch_at
from systems.film.points.sources import frame_of

BLUE, GREEN = (40, 60, 255), (40, 113, 40)  # of nearly the same brightness


def drawn(x, y, colour):
    """Return a frame with a disc of a colour on a grey wall."""
    columns, rows = np.meshgrid(np.arange(120), np.arange(80))
    amount = np.clip(5.5 - np.hypot(columns - x, rows - y), 0, 1)[..., None]
    return frame_of(0.0, (200 + amount * (np.array(colour) - 200)).round().astype(np.uint8))


@pytest.mark.parametrize(("colour", "seen"), [(BLUE, True), (GREEN, False)])
def test_a_patch_is_not_found_in_something_of_another_colour(colour, seen):
    patch = patch_at(drawn(30, 40, BLUE), (22, 32, 17, 17))
    found = patch.find(drawn(80.3, 41.6, colour), (10, 10, 110, 70), 0.0)
    assert [(round(one.x, 1), round(one.y, 1)) for one in found] == ([(80.3, 41.6)] if seen else [])
