"""Real films, tracked as points: each gives what its own description, or a plain threshold, says."""

import numpy as np
import pytest

from systems.film import track_points
from systems.film.tracking.geometry import fit_arc
from systems.film.tracking.oscillation import oscillation

pytestmark = pytest.mark.slow


@pytest.fixture
def film(data):
    """The path of a film by its name."""

    def path_of(name):
        path = data / "films" / f"{name}.mp4"
        if not path.is_file():
            pytest.skip(f"there is no film {name} in PHYSLEARN_DATA")
        return path

    return path_of


def swing(t, theta):
    seen = np.isfinite(theta)
    return oscillation(t[seen], theta[seen])


def test_a_streak_of_light_in_the_dark_swings_about_its_dot(film):
    found = track_points(film("dot_in_the_dark"), [(638.5, 106.2), (399, 601)])
    assert np.isfinite(found.x[0]).all()
    assert np.isfinite(found.x[1]).sum() > 0.95 * len(found.t)
    states = found.to_states("pendulum")
    whole = swing(found.t, states.orbit.z[:, 0].numpy())
    assert whole.period == pytest.approx(1.284, abs=0.002)
    assert np.degrees(whole.amplitude) == pytest.approx(39.7, abs=0.5)
    assert states.measures["length"][0] == pytest.approx(555, rel=0.01)


def test_a_small_metal_bob_is_followed_through_its_blur(film):
    found = track_points(film("small_metal_bob"), (458, 581))
    assert np.isfinite(found.x[0]).sum() > 281  # the frames in which background subtraction finds it
    arc = fit_arc(found.x[0] + 1j * found.y[0])
    whole = swing(found.t, np.arctan2(found.x[0] - arc.centre.real, found.y[0] - arc.centre.imag))
    assert whole.period == pytest.approx(1.334, abs=0.002)
    assert arc.centre.real == pytest.approx(573, abs=3)
    assert arc.radius * whole.amplitude == pytest.approx(526 * np.radians(27.6), rel=0.02)


def test_a_bob_that_turns_over_is_never_lost(film):
    found = track_points(film("red_bob_animation"), (423, 303))
    assert np.isfinite(found.x[0]).sum() >= 495
    arc = fit_arc(found.x[0] + 1j * found.y[0])
    theta = np.arctan2(found.x[0] - arc.centre.real, found.y[0] - arc.centre.imag)
    assert np.degrees(theta[0]) == pytest.approx(90, abs=1)
    assert swing(found.t[300:], theta[300:]).period == pytest.approx(0.66, abs=0.015)  # of small swings


def test_a_bob_of_five_pixels_that_changes_its_colour_is_followed_by_its_shape(film):
    found = track_points(film("tiny_bob_animation"), (390, 242))
    assert np.isfinite(found.x[0]).all()
    whole = swing(found.t, found.x[0] - found.x[0].mean())
    rest = found.x[0] - found.x[0].mean() - whole.swing(found.t)[0]
    assert rest.std() < 0.05 * np.ptp(found.x[0])


def test_a_cylinder_rolls_down_a_ramp_with_constant_acceleration(film):
    found = track_points(film("rolling_cylinder"), (282, 117), frame=60)
    assert np.isfinite(found.x[0]).mean() > 0.9
    rolls = (found.frames >= 90) & (found.frames <= 280) & np.isfinite(found.x[0])
    t, x, y = found.t[rolls], found.x[0][rolls], found.y[0][rolls]
    parabola = np.polyfit(t, x, 2)
    assert (x - np.polyval(parabola, t)).std() < 0.4
    assert parabola[0] < 0
    assert (y - np.polyval(np.polyfit(x, y, 1), x)).std() < 0.5
    assert found.x[0][60] - x[-1] > 200
    assert 40 < np.nanmax(found.x[0][340:]) < 45  # it rolls back a little after it has bounced at the lower end
