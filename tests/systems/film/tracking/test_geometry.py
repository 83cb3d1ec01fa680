"""The arc of a single marker, through places that are computed exactly."""

import numpy as np
import pytest

from systems.film.tracking.geometry import fit_arc


@pytest.mark.parametrize("degrees", [8, 20, 60])
def test_the_error_of_a_radius_covers_places_that_are_bent_alike_in_all_swings(degrees):
    swing = np.cos(4 * np.arange(240) / 30)
    off = 0.07 * swing**2  # the marker seems farther from the pivot where it turns
    arc = fit_arc((450 + off) * np.exp(1j * (np.pi / 2 - np.radians(degrees) * swing)), place_error=0.07)
    assert arc.radius > 450
    assert arc.radius - 450 < 1.3 * arc.radius_error
    assert arc.radius_error < 2 * (arc.radius - 450)
