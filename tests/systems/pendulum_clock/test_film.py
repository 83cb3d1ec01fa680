"""Films of a clock against geometry, OpenCV's camera, the decoded pictures, and what the file says of its times.

Where a marker is in a picture is found without knowing where it should be: a second film differs from the first only in that
the two colours have changed places, so the difference of the two is the markers and nothing else.
"""

import tracemalloc
from dataclasses import fields
from itertools import pairwise
from math import cos, hypot, pi, radians

import av
import cv2
import numpy as np
import pandas
import pytest
import torch

from systems import InputError, Orbit, get
from systems.pendulum_clock import PendulumClock
from systems.pendulum_clock.camera import FOCAL_LENGTH, Camera
from systems.pendulum_clock.defects import Defects, camera_motion
from systems.pendulum_clock.film import COLOURS, Film, render, render_clock, still
from systems.pendulum_clock.scene import Disc, boxes, paint

SIZE = (640, 360)
SMALL = Film(size=SIZE, pivot=(300.0, 100.0), rod=200.0)
SWAPPED = Film(size=SIZE, pivot=(300.0, 100.0), rod=200.0, markers=(("blue", "red"),))
T = np.linspace(0, 1, 121)
THETA = 0.1 * np.cos(2 * pi * T / 1.1)


def read(path):
    """The time stamps of a film, and its frames."""
    with av.open(str(path)) as container:
        frames = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    return np.array([t for t, _ in frames]), [picture.astype(np.float32) for _, picture in frames]


def filmed(folder, defects=None, film=SMALL, theta=THETA, t=T, seed=0):
    truth = render((t, theta), folder / "clock.mp4", film, defects, seed=seed)
    return truth, *read(folder / "clock.mp4")


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


def found(folder, defects, theta=THETA, least=30):
    truth, _, pictures = filmed(folder, defects, SMALL, theta)
    _, _, others = filmed(folder, defects, SWAPPED, theta)
    upper, lower = markers(pictures, others, least)
    return truth, moments(upper), moments(lower)


def test_a_disc_is_drawn_where_it_is_asked_for():
    rng, camera = np.random.default_rng(0), Camera((64, 48))
    y, x = np.mgrid[:48, :64]
    for centre in rng.uniform([15, 15], [48, 32], (100, 2)):
        canvas, disc = np.zeros((3, 48, 64), np.float32), [Disc(tuple(centre), 6.0, (200, 0, 0))]
        paint(canvas, disc, boxes(disc, camera), camera)
        drawn = np.rint(canvas[0])
        assert np.array([(drawn * x).sum(), (drawn * y).sum()]) / drawn.sum() == pytest.approx(centre, abs=0.02)
        assert drawn.sum() / 200 == pytest.approx(pi * 6**2, rel=0.005)


def test_the_markers_hang_from_the_pivot_at_the_angle_which_is_positive_to_the_right(tmp_path):
    truth, _, _ = filmed(tmp_path)
    expected = 0.1 * np.cos(2 * pi * truth.t / 1.1)
    assert truth.theta == pytest.approx(expected, abs=1e-6)
    assert truth.lower == pytest.approx(np.stack([300 + 200 * np.sin(expected), 100 + 200 * np.cos(expected)], -1), abs=1e-3)
    assert np.arctan2(*(truth.lower - truth.upper).T) == pytest.approx(truth.theta, abs=1e-12)
    assert truth.upper_visible.all()
    assert truth.lower_visible.all()


@pytest.mark.parametrize(
    ("defects", "tolerance"),
    [
        (Defects(), 0.05),
        (Defects(noise=6), 0.1),
        (Defects(exposure=1), 0.05),
        (Defects(compression=24), 0.5),
        (Defects(uneven_light=0.6), 0.08),
        (Defects(shake=3), 0.05),
        (Defects(rotation=90), 0.05),
        (Defects(rotation=-77), 0.05),
        (Defects(yaw=20), 0.1),  # the middle of an ellipse in perspective is not where the centre of the disc goes
        (Defects(distortion=-0.2), 0.05),
        (Defects(dropped=0.3), 0.05),
        (Defects(duplicated=0.3), 0.05),
        (Defects(variable_rate=0.2), 0.05),
    ],
    ids=lambda value: (
        ", ".join(f"{k}={v}" for k, v in vars(value).items() if v) or "ideal" if isinstance(value, Defects) else ""
    ),
)
def test_the_markers_are_seen_where_the_truth_says(tmp_path, defects, tolerance):
    truth, (upper, _), (lower, _) = found(tmp_path, defects)
    for seen, said in ((upper, truth.upper), (lower, truth.lower)):
        error = seen - said
        assert np.sqrt((error**2).mean()) < tolerance, "colour is stored at half the resolution, so half a pixel is coarse"
        assert np.abs(error).max() < 3 * tolerance


@pytest.mark.parametrize(
    "defects", [Defects(), Defects(dropped=0.2, duplicated=0.2, variable_rate=0.2)], ids=["ideal", "uneven"]
)
@pytest.mark.parametrize("fps", [24.0, 29.97, 60.0])
def test_the_time_stamps_in_the_file_are_those_of_the_truth(tmp_path, defects, fps):
    truth, t, pictures = filmed(tmp_path, defects, Film(size=SIZE, fps=fps))
    assert t == pytest.approx(truth.t, abs=1e-12)
    assert t[0] == 0
    assert (np.diff(t) > 0).all()
    assert len(pictures) == len(truth)


def test_there_is_a_frame_at_every_tick_of_the_film_within_the_orbit(tmp_path):
    truth, _, _ = filmed(tmp_path, t=T + 5)
    assert truth.t == pytest.approx(np.arange(31) / 30, abs=1e-4)


def test_time_stamps_count_from_the_start_of_the_orbit(tmp_path):
    late, early = filmed(tmp_path, t=T + 5)[0], filmed(tmp_path)[0]
    assert late.theta == pytest.approx(early.theta, abs=1e-9)


def test_dropped_frames_leave_gaps(tmp_path):
    truth, _, _ = filmed(tmp_path, Defects(dropped=0.2))
    steps = np.rint(np.diff(truth.t) * 30)
    assert len(truth) == 31 - 6
    assert (steps - 1).sum() + (30 - np.rint(truth.t[-1] * 30)) == 6


def test_duplicates_repeat_the_picture_before(tmp_path):
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


def test_a_rotation_by_90_degrees_lays_the_film_on_its_side(tmp_path):
    straight, _, upright = filmed(tmp_path)
    turned, _, lying = filmed(tmp_path, Defects(rotation=90))
    assert turned.lower == pytest.approx(np.stack([straight.lower[:, 1], SIZE[0] - 1 - straight.lower[:, 0]], -1), abs=1e-9)
    assert lying[0].shape == (640, 360, 3)
    assert np.abs(lying[7] - np.rot90(upright[7])).mean() < 1, "counter-clockwise, but for what compression does"


def test_a_small_rotation_is_counter_clockwise_and_keeps_the_size(tmp_path):
    turned, _, pictures = filmed(tmp_path, Defects(rotation=5))
    angle = np.arctan2(*(turned.lower - turned.upper).T)
    assert angle - turned.theta == pytest.approx(radians(5), abs=1e-9), "the bob, below, goes to the right"
    assert pictures[0].shape == (360, 640, 3)


def test_yaw_narrows_the_swing_by_its_cosine(tmp_path):
    film = Film(size=SIZE)  # the clock in the middle, where perspective does not matter
    straight, yawed = (filmed(tmp_path, defects, film)[0] for defects in (Defects(), Defects(yaw=20)))
    assert np.ptp(yawed.lower[:, 0]) / np.ptp(straight.lower[:, 0]) == pytest.approx(cos(radians(20)), rel=0.002)


@pytest.mark.parametrize(("yaw", "distortion"), [(0, -0.2), (0, 0.2), (25, 0), (-25, -0.1)])
def test_the_camera_is_that_of_opencv(tmp_path, yaw, distortion):
    f, (x, y) = FOCAL_LENGTH * hypot(*SIZE), ((SIZE[0] - 1) / 2, (SIZE[1] - 1) / 2)
    matrix = np.array([[f, 0, x], [0, f, y], [0, 0, 1]])
    points = np.random.default_rng(0).uniform([0, 0], SIZE, (50, 2))
    solid = np.column_stack([points - [x, y], np.zeros(50)])
    turn = np.array([0, -radians(yaw), 0])  # moves the right side away from the camera
    expected, _ = cv2.projectPoints(solid, turn, np.array([0, 0, f]), matrix, np.array([distortion, 0, 0, 0.0]))
    camera = Camera(SIZE, yaw=yaw, distortion=distortion)
    assert camera.to_frame(points) == pytest.approx(expected[:, 0], abs=1e-9)
    assert camera.to_scene(camera.to_frame(points)) == pytest.approx(points, abs=1e-9)


def test_an_exposure_blurs_along_the_motion_and_not_across(tmp_path):
    theta = 0.3 * np.sin(2 * pi * (T - 0.5))  # through the middle at t = 0.5, at 1.88 rad/s
    _, _, (_, sharp) = found(tmp_path, Defects(), theta, least=8)
    truth, _, (_, blurred) = found(tmp_path, Defects(exposure=0.8), theta, least=8)
    way = 200 * 0.3 * 2 * pi * 0.8 / 30
    assert truth.theta[15] == pytest.approx(0, abs=1e-9)
    assert blurred[15, 0] - sharp[15, 0] == pytest.approx(way**2 / 12, rel=0.1), "the variance of a uniform motion"
    assert blurred[15, 1] - sharp[15, 1] == pytest.approx(0, abs=0.3)


def test_a_rolling_shutter_shows_the_rows_above_the_middle_earlier_and_those_below_later(tmp_path):
    theta = 0.3 * np.sin(2 * pi * (T - 0.5))  # through the middle at t = 0.5, at 1.88 rad/s
    rolling = Defects(rolling_shutter=0.8)
    truth, (upper, _), (lower, _) = found(tmp_path, rolling, theta)
    assert truth.theta[15] == pytest.approx(0, abs=1e-9)
    speed = 0.3 * 2 * pi
    for seen, arm in ((upper, 20), (lower, 200)):
        late = 0.8 / 30 * (100 + arm - 179.5) / 360  # the rows of a frame, 120 and 300, against the middle one
        assert seen[15, 0] - 300 == pytest.approx(arm * speed * late, abs=0.1)
        assert seen[15, 1] == pytest.approx(100 + arm, abs=0.1)


def test_noise_has_the_rms_that_it_says_and_changes_from_frame_to_frame(tmp_path):
    clean, noisy = (filmed(tmp_path, Defects(noise=noise))[2] for noise in (0, 6))
    a, b = ((noisy[i] - clean[i]) @ [0.299, 0.587, 0.114] for i in (3, 4))
    assert a.std() == pytest.approx(6, rel=0.05)
    assert abs(a.mean()) < 0.3
    assert abs((a * b).mean()) / 36 < 0.02


def test_uneven_light_darkens_the_darkest_corner_by_its_part(tmp_path):
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
def test_a_hand_hides_markers_where_the_truth_says(tmp_path, seed):
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


def test_a_marker_at_the_edge_is_not_visible(tmp_path):
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


def test_a_moderate_film_has_every_defect_of_a_camera_with_a_global_shutter(tmp_path):
    moderate = Defects.moderate()
    assert [field.name for field in fields(moderate) if not getattr(moderate, field.name)] == ["rolling_shutter"]
    t = np.linspace(0, 4, 241)
    truth, stamps, _ = filmed(tmp_path, moderate, Film(size=SIZE), theta=0.1 * np.cos(3 * t), t=t)
    assert stamps == pytest.approx(truth.t, abs=1e-12)
    assert truth.duplicate.any()
    assert len(truth) < 121
    assert not (truth.upper_visible & truth.lower_visible).all()


def test_a_clock_is_filmed_on_its_own_orbit_in_seconds(tmp_path):
    clock = PendulumClock(frequency=2 * pi / 2.027)
    truth = render_clock(clock, [0.12, 0.0], 2.5, tmp_path / "clock.mp4", SMALL, Defects(variable_rate=0.1))
    orbit = clock.orbit(torch.tensor([0.12, 0.0]), torch.tensor(truth.exposed))
    assert truth.theta == pytest.approx(orbit.z[:, 0].numpy(), abs=1e-6)


def test_the_hand_of_the_clock_steps_once_a_swing(tmp_path):
    t = np.linspace(0, 3, 181)
    _, _, pictures = filmed(tmp_path, film=Film(size=SIZE), theta=0.05 * np.cos(2 * pi * t / 2), t=t)
    dial = [picture[15:85, 285:355].mean(2) for picture in pictures]  # above the pivot
    steps = [i for i in range(1, len(dial)) if np.abs(dial[i] - dial[i - 1]).max() > 50]
    assert steps == pytest.approx([15, 45, 75], abs=1), "at t = 0.5, 1.5 and 2.5, where the pendulum hangs down"


def test_several_clocks_hang_side_by_side(tmp_path):
    theta = np.stack([THETA, -0.5 * THETA, 0 * THETA])
    film = Film(size=(960, 360))
    truth, _, pictures = filmed(tmp_path, film=film, theta=theta)
    assert truth.theta.shape == (3, 31)
    assert truth.lower[:, :, 0].mean(1) == pytest.approx([160, 480, 800], abs=3)
    assert truth.theta[1] == pytest.approx(-truth.theta[0] / 2, abs=1e-9)
    for k, pair in enumerate(film.markers):
        for name, points in zip(pair, (truth.upper, truth.lower), strict=True):
            x, y = np.rint(points[k, 9]).astype(int)
            assert np.abs(pictures[9][y, x] - COLOURS[name]).max() < 25
    table = truth.to_frame()
    assert table.groupby("clock").size().tolist() == [31, 31, 31]
    orbit = Orbit(torch.tensor(T), torch.tensor(theta)[..., None], coordinates=("theta",))
    again = render(orbit, tmp_path / "again.mp4", film)
    assert again.lower == pytest.approx(truth.lower)


def test_the_truth_is_saved_as_a_table(tmp_path):
    truth, _, _ = filmed(tmp_path, Defects(duplicated=0.1))
    truth.save(tmp_path / "clock.csv")
    table = pandas.read_csv(tmp_path / "clock.csv")
    assert list(table) == [
        *("t", "exposed", "duplicate", "theta"),
        *("upper_x", "upper_y", "upper_visible", "lower_x", "lower_y", "lower_visible"),
    ]
    assert table[["lower_x", "lower_y"]].to_numpy() == pytest.approx(truth.lower)
    assert table.duplicate.tolist() == truth.duplicate.tolist()


def test_without_h264_a_film_is_mpeg4(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    truth, t, pictures = filmed(tmp_path, Defects(variable_rate=0.2))
    with av.open(str(tmp_path / "clock.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    assert t == pytest.approx(truth.t, abs=1e-12)
    x, y = np.rint(truth.lower[20]).astype(int)
    assert np.abs(pictures[20][y, x] - COLOURS["blue"]).max() < 25


@pytest.mark.parametrize("codecs", [{"libx264"}, {"mpeg4"}], ids=str)
def test_compression_makes_files_smaller(tmp_path, monkeypatch, codecs):
    monkeypatch.setattr(av, "codecs_available", codecs)
    sizes = []
    for compression in (0, 20, 40):
        filmed(tmp_path, Defects(compression=compression, noise=3))
        sizes.append((tmp_path / "clock.mp4").stat().st_size)
    assert sizes[0] / 2 > sizes[1] > sizes[2]


def test_memory_does_not_grow_with_the_length(tmp_path):
    film = Film(size=(320, 180))

    def peak(duration):
        t = np.linspace(0, duration, 30 * duration)
        tracemalloc.start()
        render((t, 0.1 * np.cos(3 * t)), tmp_path / "clock.mp4", film, Defects(noise=2, exposure=0.5, compression=30))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(1)  # what is imported and cached once
    frame = 320 * 180 * 3
    assert peak(16) - peak(4) < 5 * frame, "while there are 360 frames more"


def test_progress_is_shown_when_asked_for(tmp_path, capsys):
    render((T, THETA), tmp_path / "clock.mp4", SMALL)
    assert capsys.readouterr().err == ""
    render((T, THETA), tmp_path / "clock.mp4", SMALL, progress=True)
    assert "filming" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "clock.avi"}, "ends in .mp4"),
        ({"path": "missing/clock.mp4"}, "no folder"),
        ({"path": "folder.mp4"}, "is a folder"),
        ({"t": T[::-1]}, "must increase, but t\\[1\\]"),
        ({"t": np.where(np.arange(121) == 50, T[49], T)}, "must increase, but t\\[50\\]"),
        ({"theta": THETA[:-1]}, "for two times or more, not \\(121,\\) and \\(120,\\)"),
        ({"t": [0.0], "theta": [0.0]}, "two times or more"),
        ({"theta": np.full(121, np.nan)}, "finite"),
        ({"theta": 25 * THETA}, "takes the bob out of the frame of 640 x 360"),
        ({"theta": np.stack([THETA, 4 * THETA, THETA])}, "into the clock beside it"),
        ({"theta": np.stack([THETA] * 4)}, "4 clocks need as many pairs of colours"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_filmed_is_refused_with_a_reason(tmp_path, arguments, message):
    (tmp_path / "folder.mp4").mkdir()
    given = {"t": T, "theta": THETA, "path": "clock.mp4"} | arguments
    with pytest.raises(InputError, match=message):
        render((given["t"], given["theta"]), tmp_path / given["path"], Film(size=SIZE))
    assert [path.name for path in tmp_path.iterdir()] == ["folder.mp4"]


def test_a_read_only_folder_is_refused_before_anything_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(InputError, match=r"clock.mp4 cannot be written to .* which is read-only"):
        render((T, THETA), tmp_path / "clock.mp4")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": (641, 360)}, "even width and height"),
        ({"size": (16, 16)}, "at least 32"),
        ({"fps": 0.0}, "fps of a film must be from 1 to 1000, not 0.0"),
        ({"rod": -1.0}, "rod of a film must be a positive number"),
        ({"markers": (("red", "mauve"),)}, "no colour 'mauve'; there are red, blue"),
        ({"markers": (("red", (0, 0, 300)),)}, "of 0 to 255, not \\(0, 0, 300\\)"),
    ],
)
def test_settings_that_make_no_film_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Film(**settings)


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


def test_a_clock_is_filmed_for_a_positive_duration_and_needs_an_angle(tmp_path):
    with pytest.raises(InputError, match="duration of a film must be a positive number of seconds, not -1"):
        render_clock(PendulumClock(), [0.1, 0.0], -1, tmp_path / "clock.mp4")
    with pytest.raises(InputError, match="theta"):
        render_clock(get("harmonic-oscillator"), [0.1, 0.0], 1, tmp_path / "clock.mp4")


@pytest.mark.benchmark
def test_speed_of_filming(benchmark, tmp_path):
    benchmark(lambda: render((T, THETA), tmp_path / "clock.mp4"))


def test_a_still_has_its_markers_where_a_film_of_that_angle_has_them(tmp_path):
    film = Film(size=(640, 480))
    truth = render((np.arange(4) / 10, np.full(4, 0.08)), tmp_path / "clock.mp4", film=film)
    picture = still(0.08, film).astype(int)
    assert picture.shape == (480, 640, 3)
    colours = []
    for place in (truth.upper[0], truth.lower[0]):
        x, y = np.rint(place).astype(int)
        colours.append(picture[y, x])
    (red, _, blue), (red_below, _, blue_below) = colours
    assert red > blue + 50
    assert blue_below > red_below + 50
