"""Each defect of a film against geometry, the decoded pictures, and the truth.

Where a marker is in a picture is found without knowing where it should be: a second film differs from the first only in that
the two colours have changed places, so the difference of the two is the markers and nothing else.
"""

from dataclasses import fields
from itertools import pairwise
from math import cos, pi, radians

import numpy as np
import pytest

from systems import InputError
from systems.film import Defects, Film, render
from systems.film.rendering.clock_film import COLOURS
from systems.film.rendering.defects import camera_motion

SIZE = (640, 360)
T = np.linspace(0, 1, 121)
THETA = 0.1 * np.cos(2 * pi * T / 1.1)
SMALL = Film(size=SIZE, pivot=(300.0, 100.0), rod=200.0)
SWAPPED = Film(size=SIZE, pivot=(300.0, 100.0), rod=200.0, markers=(("blue", "red"),))


def markers(pictures, swapped, least):
    """How much of each pixel is upper, and how much lower marker, from the red of both films: ``(F, height, width)``."""
    difference = np.array(pictures)[..., 0] - np.array(swapped)[..., 0]
    strong = np.where(np.abs(difference) > least, difference, 0)
    return np.maximum(strong, 0), np.maximum(-strong, 0)


def moments(blobs):
    """Mean x, y and variances of them, weighted by each of the blobs."""
    mean, variance = [], []
    for blob in blobs:
        rows, columns = np.nonzero(blob)
        points, weights = np.stack([columns, rows], -1), blob[rows, columns]
        mean.append(np.average(points, axis=0, weights=weights))
        variance.append(np.average((points - mean[-1]) ** 2, axis=0, weights=weights))
    return np.array(mean), np.array(variance)


def found(filmed, folder, defects, theta=THETA, least=30):
    truth, _, pictures = filmed(folder, defects, SMALL, theta)
    _, _, others = filmed(folder, defects, SWAPPED, theta)
    upper, lower = markers(pictures, others, least)
    return truth, moments(upper), moments(lower)


@pytest.mark.parametrize(
    ("defects", "tolerance"),
    [
        (Defects(), 0.05),
        (Defects(noise=6), 0.1),
        pytest.param(Defects(exposure=1), 0.05, marks=pytest.mark.slow),
        pytest.param(Defects(compression=24), 0.5, marks=pytest.mark.slow),
        (Defects(uneven_light=0.6), 0.08),
        pytest.param(Defects(shake=3), 0.05, marks=pytest.mark.slow),
        pytest.param(Defects(rotation=90), 0.05, marks=pytest.mark.slow),
        (Defects(rotation=-77), 0.05),
        (Defects(yaw=20), 0.1),  # the middle of an ellipse in perspective is not where the centre of the disc goes
        (Defects(distortion=-0.2), 0.05),
        pytest.param(Defects(dropped=0.3), 0.05, marks=pytest.mark.slow),
        (Defects(duplicated=0.3), 0.05),
        pytest.param(Defects(variable_rate=0.2), 0.05, marks=pytest.mark.slow),
    ],
    ids=lambda value: (
        ", ".join(f"{k}={v}" for k, v in vars(value).items() if v) or "ideal" if isinstance(value, Defects) else ""
    ),
)
def test_the_markers_are_seen_where_the_truth_says(filmed, tmp_path, defects, tolerance):
    truth, (upper, _), (lower, _) = found(filmed, tmp_path, defects)
    for seen, said in ((upper, truth.upper), (lower, truth.lower)):
        error = seen - said
        assert np.sqrt((error**2).mean()) < tolerance, "colour is stored at half the resolution, so half a pixel is coarse"
        assert np.abs(error).max() < 3 * tolerance


def test_dropped_frames_leave_gaps(filmed, tmp_path):
    truth, _, _ = filmed(tmp_path, Defects(dropped=0.2))
    steps = np.rint(np.diff(truth.t) * 30)
    assert len(truth) == 31 - 6
    assert (steps - 1).sum() + (30 - np.rint(truth.t[-1] * 30)) == 6


def test_duplicates_repeat_the_picture_before(filmed, tmp_path):
    truth, _, pictures = filmed(tmp_path, Defects(duplicated=0.2, noise=3))
    change = np.array([np.abs(b - a).mean() for a, b in pairwise(pictures)])
    assert truth.duplicate.sum() == 6
    assert change[truth.duplicate[1:]].max() < change[~truth.duplicate[1:]].min() / 2
    again = np.flatnonzero(truth.duplicate)
    assert (truth.exposed[again] == truth.exposed[again - 1]).all()
    assert (truth.lower[again] == truth.lower[again - 1]).all()
    fresh = ~truth.duplicate
    assert (truth.exposed[fresh] == truth.t[fresh]).all()


def test_a_variable_rate_jitters_by_as_much_as_it_says(tmp_path):
    t = np.linspace(0, 40, 401)
    tiny = Film(size=(64, 64), case=False, hands=False)
    truth = render((t, 0.1 * np.sin(t)), tmp_path / "clock.mp4", tiny, Defects(variable_rate=0.1))
    assert np.std(truth.t * 30 - np.arange(1201)) == pytest.approx(0.1, rel=0.05)


def test_a_rotation_by_90_degrees_lays_the_film_on_its_side(filmed, tmp_path):
    straight, _, upright = filmed(tmp_path)
    turned, _, lying = filmed(tmp_path, Defects(rotation=90))
    assert turned.lower == pytest.approx(np.stack([straight.lower[:, 1], SIZE[0] - 1 - straight.lower[:, 0]], -1), abs=1e-9)
    assert lying[0].shape == (640, 360, 3)
    assert np.abs(lying[7] - np.rot90(upright[7])).mean() < 1, "counter-clockwise, but for what compression does"


def test_a_small_rotation_is_counter_clockwise_and_keeps_the_size(filmed, tmp_path):
    turned, _, pictures = filmed(tmp_path, Defects(rotation=5))
    angle = np.arctan2(*(turned.lower - turned.upper).T)
    assert angle - turned.theta == pytest.approx(radians(5), abs=1e-9), "the bob, below, goes to the right"
    assert pictures[0].shape == (360, 640, 3)


def test_yaw_narrows_the_swing_by_its_cosine(filmed, tmp_path):
    film = Film(size=SIZE)  # the clock in the middle, where perspective does not matter
    straight, yawed = (filmed(tmp_path, defects, film)[0] for defects in (Defects(), Defects(yaw=20)))
    assert np.ptp(yawed.lower[:, 0]) / np.ptp(straight.lower[:, 0]) == pytest.approx(cos(radians(20)), rel=0.002)


def test_an_exposure_blurs_along_the_motion_and_not_across(filmed, tmp_path):
    theta = 0.3 * np.sin(2 * pi * (T - 0.5))  # through the middle at t = 0.5, at 1.88 rad/s
    _, _, (_, sharp) = found(filmed, tmp_path, Defects(), theta, least=8)
    truth, _, (_, blurred) = found(filmed, tmp_path, Defects(exposure=0.8), theta, least=8)
    way = 200 * 0.3 * 2 * pi * 0.8 / 30
    assert truth.theta[15] == pytest.approx(0, abs=1e-9)
    assert blurred[15, 0] - sharp[15, 0] == pytest.approx(way**2 / 12, rel=0.1), "the variance of a uniform motion"
    assert blurred[15, 1] - sharp[15, 1] == pytest.approx(0, abs=0.3)


def test_a_rolling_shutter_shows_the_rows_above_the_middle_earlier_and_those_below_later(filmed, tmp_path):
    theta = 0.3 * np.sin(2 * pi * (T - 0.5))  # through the middle at t = 0.5, at 1.88 rad/s
    rolling = Defects(rolling_shutter=0.8)
    truth, (upper, _), (lower, _) = found(filmed, tmp_path, rolling, theta)
    assert truth.theta[15] == pytest.approx(0, abs=1e-9)
    speed = 0.3 * 2 * pi
    for seen, arm in ((upper, 20), (lower, 200)):
        late = 0.8 / 30 * (100 + arm - 179.5) / 360  # the rows of a frame, 120 and 300, against the middle one
        assert seen[15, 0] - 300 == pytest.approx(arm * speed * late, abs=0.1)
        assert seen[15, 1] == pytest.approx(100 + arm, abs=0.1)


def test_noise_has_the_rms_that_it_says_and_changes_from_frame_to_frame(filmed, tmp_path):
    clean, noisy = (filmed(tmp_path, Defects(noise=noise))[2] for noise in (0, 6))
    a, b = ((noisy[i] - clean[i]) @ [0.299, 0.587, 0.114] for i in (3, 4))
    assert a.std() == pytest.approx(6, rel=0.05)
    assert abs(a.mean()) < 0.3
    assert abs((a * b).mean()) / 36 < 0.02


def test_uneven_light_darkens_the_darkest_corner_by_its_part(filmed, tmp_path):
    film = Film(size=SIZE, case=False)
    even, uneven = (filmed(tmp_path, Defects(uneven_light=part), film)[2][0] for part in (0, 0.5))
    light = uneven.sum(2)[5:-5, 5:-5] / even.sum(2)[5:-5, 5:-5]
    assert np.percentile(light, 0.01) == pytest.approx(0.5, abs=0.03)
    assert light.max() == pytest.approx(1, abs=0.05)


def test_the_camera_shakes_smoothly_by_the_rms_that_it_says():
    motion = camera_motion(Defects(shake=2), np.arange(60_000) / 30, seed=3)
    assert np.sqrt((motion**2).mean(0)) == pytest.approx([2, 2], rel=0.05)
    power = np.abs(np.fft.rfft(motion[:, 0])) ** 2
    frequency = np.fft.rfftfreq(60_000, 1 / 30)
    assert power[frequency < 5.1].sum() / power.sum() > 0.999


@pytest.mark.parametrize("seed", range(4))
def test_a_hand_hides_markers_where_the_truth_says(filmed, tmp_path, seed):
    t = np.linspace(0, 3, 181)
    truth, _, pictures = filmed(tmp_path, Defects(hand=1), theta=0.1 * np.cos(3 * t), t=t, seed=seed)
    seen = []
    for name, points, visible in (("red", truth.upper, truth.upper_visible), ("blue", truth.lower, truth.lower_visible)):
        middle = np.array([p[round(y), round(x)] for p, (x, y) in zip(pictures, points, strict=True)])
        coloured = np.abs(middle - COLOURS[name]).max(1) < 30
        assert coloured[visible].all()
        assert (coloured & ~visible).sum() <= 8, "the edge of the hand is on the marker for a few frames only"
        seen.append(visible)
    assert not np.all(seen)
    assert np.mean(seen) > 0.5


def test_a_marker_at_the_edge_is_not_visible(filmed, tmp_path):
    film = Film(size=SIZE, pivot=(300.0, 3.0), rod=200.0, case=False)
    truth, _, _ = filmed(tmp_path, Defects(shake=30), film, theta=0 * T)
    assert truth.upper_visible.any()
    assert not truth.upper_visible.all()
    assert (truth.upper[truth.upper_visible] > 5).all()


def test_the_same_seed_gives_the_same_film_and_another_seed_another(tmp_path):
    bytes_of = []
    for seed in (1, 1, 2):
        render((T, THETA), tmp_path / "clock.mp4", SMALL, Defects.moderate(), seed=seed)
        bytes_of.append((tmp_path / "clock.mp4").read_bytes())
    assert bytes_of[0] == bytes_of[1]
    assert bytes_of[0] != bytes_of[2]


def test_a_moderate_film_has_every_defect_of_a_camera_with_a_global_shutter(filmed, tmp_path):
    moderate = Defects.moderate()
    assert [field.name for field in fields(moderate) if not getattr(moderate, field.name)] == ["rolling_shutter"]
    t = np.linspace(0, 4, 241)
    truth, stamps, _ = filmed(tmp_path, moderate, Film(size=SIZE), theta=0.1 * np.cos(3 * t), t=t)
    assert stamps == pytest.approx(truth.t, abs=1e-12)
    assert truth.duplicate.any()
    assert len(truth) < 121
    assert not (truth.upper_visible & truth.lower_visible).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": -1}, "noise of a film must be from 0 to 100, not -1"),
        ({"exposure": 1.5}, "exposure of a film must be from 0 to 1"),
        ({"yaw": float("nan")}, "yaw of a film must be from -45 to 45, not nan"),
        ({"dropped": 1}, "dropped"),
        ({"hand": 0.5}, "whole number"),
        ({"rolling_shutter": 2}, "rolling_shutter of a film must be from 0 to 1, not 2"),
    ],
)
def test_defects_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Defects(**settings)
