"""The camera that looks from the side: told and undone where the rods tell it, and left alone where they do not."""

import math

import numpy as np
import pytest

from systems import InputError
from systems.film import Defects, Film, from_markers, render, track
from systems.film.tracking import view
from systems.film.tracking.angles import Ends, angles
from systems.film.tracking.view import TELEPHONE, seen_from_the_front

SIZE = (1280, 720)
DIAGONAL = math.hypot(*SIZE)
T = np.arange(240) / 30
THETA = 0.1 * np.cos(4.4 * T + 0.3)
HANDLE = 0.1  # of the rod, by which the upper marker is below the pivot


def ends_in_the_picture(theta=THETA, yaw=0.0, pitch=0.0, roll=0.0, at=0.0, focal=TELEPHONE, noise=0.0, seed=0, upper=HANDLE):
    """Upper and lower end ``(T, 2)`` [pixel] of a rod of 400 pixels, its pivot 150 above the middle, by a camera turned first
    by yaw, then by pitch, then by roll [rad]; written down by itself, as turns of space.
    """
    f = focal * DIAGONAL
    rods = [(at + 400 * part * np.sin(theta), 400 * part * np.cos(theta) - 150) for part in (upper, 1.0)]
    c, s = math.cos(yaw), math.sin(yaw)
    cp, sp = math.cos(pitch), math.sin(pitch)
    cr, sr = math.cos(roll), math.sin(roll)
    turned = (
        np.array([[cr, sr, 0], [-sr, cr, 0], [0, 0, 1]])
        @ np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
        @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    )
    places, rng = [], np.random.default_rng(seed)
    for x, y in rods:
        # the plane goes through (0, 0, f), about which it is turned, not the camera: nothing leaves the picture
        x, y, depth = turned @ np.stack([x, y, np.zeros_like(x)])
        depth = f + depth
        place = np.stack([f * x / depth, f * y / depth], axis=1) + (np.array(SIZE) - 1) / 2
        places.append(place + rng.normal(scale=noise, size=place.shape) if noise else place)
    return places


def seen(places):
    upper, lower = ([1, 1j] @ place.T for place in places)
    ends = Ends(T, lower, upper)
    return ends, angles(ends, "the pendulum")


def gain(tracked, theta=THETA):
    x = tracked.table["theta"].to_numpy()
    return float(np.sum((x - x.mean()) * (theta - theta.mean())) / np.sum((theta - theta.mean()) ** 2))


@pytest.mark.parametrize("yaw", [-30.0, -5.0, 10.0, 20.0, 40.0])
@pytest.mark.parametrize("roll", [0.0, 92.0])
def test_a_yaw_is_told_and_undone(yaw, roll):
    places = ends_in_the_picture(yaw=math.radians(yaw), roll=math.radians(roll))
    tracked = from_markers(T, *places, size=SIZE, focal_length=TELEPHONE)
    (report,) = tracked.report
    assert np.degrees(report.yaw) == pytest.approx(yaw, abs=0.1)
    assert gain(tracked) == pytest.approx(1, abs=1e-3)
    assert "yaw" in str(report)
    left = from_markers(T, *places)
    assert abs(gain(left) - 1) > 3e-3  # cos(5 deg) = 0.996
    assert left.report[0].yaw == 0
    assert math.isnan(left.report[0].yaw_error)


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_a_focal_length_off_by_a_fifth_stays_within_the_errors(factor):
    tracked = from_markers(T, *ends_in_the_picture(yaw=math.radians(20), focal=factor * TELEPHONE), size=SIZE)
    (report,) = tracked.report
    assert abs(np.degrees(report.yaw) - 20) < 1.5 * np.degrees(report.yaw_error)
    assert abs(report.amplitude - 0.1) < 1.5 * report.amplitude_error
    assert report.amplitude_error < 0.05 * report.amplitude
    assert abs(gain(tracked) - 1) < math.cos(math.radians(20)) / math.cos(math.radians(25)) - 1  # left as it is: 0.06


@pytest.mark.parametrize("pitch", [-view.PITCH, view.PITCH])
def test_a_camera_that_looks_up_by_a_standard_deviation_is_off_by_a_standard_error(pitch):
    places = ends_in_the_picture(yaw=0.25, pitch=pitch, noise=0.3)
    (report,) = from_markers(T, *places, size=SIZE, focal_length=TELEPHONE).report
    assert 0.6 < abs(report.yaw - 0.25) / report.yaw_error < 1.5
    assert abs(report.amplitude - 0.1) < 1.5 * report.amplitude_error


def test_the_noise_of_the_places_is_in_the_error(monkeypatch):
    for other in ("PITCH", "LENS", "BENT", "LEANING"):
        monkeypatch.setattr(view, other, 1e-6)
    off = []
    for seed in range(20):
        ends, done = seen(ends_in_the_picture(yaw=0.25, noise=1.0, seed=seed))
        _, told = seen_from_the_front([ends], [done], SIZE, TELEPHONE)
        off.append((told.yaw - 0.25) / told.yaw_error)
    assert 0.6 < np.sqrt(np.mean(np.square(off))) < 1.4  # of 20 normal numbers, 0.69 to 1.31 in 19 of 20 cases
    assert abs(np.mean(off)) < 0.7  # three standard errors


def test_a_view_from_the_front_is_left_alone():
    for seed in range(5):
        places = ends_in_the_picture(noise=0.3, seed=seed)
        (report,) = from_markers(T, *places, size=SIZE).report
        assert report.yaw == 0
        assert 0 < report.yaw_error < math.radians(1)
        assert np.array_equal(
            from_markers(T, *places, size=SIZE).table["theta"], from_markers(T, *places).table["theta"], equal_nan=True
        )


def test_a_yaw_of_four_standard_errors_is_left_alone_and_one_of_eight_undone():
    (front,) = from_markers(T, *ends_in_the_picture(), size=SIZE, focal_length=TELEPHONE).report
    for errors in (4, 8):
        places = ends_in_the_picture(yaw=errors * front.yaw_error)
        (report,) = from_markers(T, *places, size=SIZE, focal_length=TELEPHONE).report
        assert (report.yaw != 0) == (errors == 8)


def test_where_y_points_up_the_yaw_is_the_same():
    upper, lower = ends_in_the_picture(yaw=0.2)
    up = [np.stack([place[:, 0], SIZE[1] - 1 - place[:, 1]], axis=1) for place in (upper, lower)]
    tracked = from_markers(T, *up, y_up=True, size=SIZE, focal_length=TELEPHONE)
    assert tracked.report[0].yaw == pytest.approx(0.2, abs=2e-3)
    assert gain(tracked) == pytest.approx(1, abs=1e-3)


def test_a_thing_that_stands_still_may_be_beside_the_pivot_and_tells_no_yaw():
    upper, lower = ends_in_the_picture(upper=0.0)
    upper[:, 0] += 12  # 3 % of the length
    (report,) = from_markers(T, upper, lower, size=SIZE).report
    assert report.yaw == 0
    assert report.yaw_error > math.radians(3)


def test_a_single_end_tells_nothing_and_stays_where_it_is():
    _, lower = ends_in_the_picture(yaw=0.2)
    ends = Ends(T, [1, 1j] @ lower.T)
    (left,), told = seen_from_the_front([ends], [angles(ends, "the pendulum")], SIZE)
    assert left is ends
    assert told.yaw == 0
    assert math.isnan(told.yaw_error)


def test_a_camera_that_looks_up_is_not_taken_for_one_that_looks_from_the_side():
    beside = from_markers(T, *ends_in_the_picture(pitch=0.1, at=400), size=SIZE)
    assert beside.report[0].yaw == 0
    both = [seen(ends_in_the_picture(yaw=yaw, pitch=0.1, at=at)) for yaw in (0.0, 0.2) for at in (-300, 100, 350)]
    for yaw, pendulums in ((0.0, both[:3]), (0.2, both[3:])):
        _, told = seen_from_the_front(*zip(*pendulums, strict=True), SIZE, TELEPHONE)
        assert abs(told.yaw - yaw) < 2 * told.yaw_error
        assert told.yaw_error < 0.03


def test_the_yaw_of_a_film_is_undone(tmp_path):
    t = np.linspace(0, 4, 1500)
    truth = render((t, 0.09 * np.cos(4.0 * t + 0.3)), tmp_path / "film.mp4", Film(size=(640, 360)), Defects(yaw=15))
    tracked = track(tmp_path / "film.mp4")
    (report,) = tracked.report
    assert abs(np.degrees(report.yaw) - 15) < 1.5 * np.degrees(report.yaw_error)
    assert gain(tracked, truth.theta) == pytest.approx(1, abs=0.015)  # left as it is: cos(15 deg) = 0.966


@pytest.mark.parametrize("arguments", [{"focal_length": 26}, {"focal_length": math.nan}, {"size": (0, 720)}, {"size": (720,)}])
def test_what_no_camera_has_is_refused_in_one_sentence(arguments):
    with pytest.raises(InputError, match=r"focal_length|size") as refusal:
        from_markers(T, *ends_in_the_picture(), **arguments)
    assert "\n" not in str(refusal.value)
