"""Films of clocks against geometry, the orbits that they show, and what the caller asked for."""

import tracemalloc
from math import pi

import numpy as np
import pandas
import pytest
import torch

from systems import InputError, Orbit, get
from systems.film import Defects, Film, render, render_clock, still
from systems.film.rendering.clock_film import COLOURS
from systems.pendulum_clock import PendulumClock

SIZE = (640, 360)
T = np.linspace(0, 1, 121)
THETA = 0.1 * np.cos(2 * pi * T / 1.1)
SMALL = Film(size=SIZE, pivot=(300.0, 100.0), rod=200.0)


def test_the_markers_hang_from_the_pivot_at_the_angle_which_is_positive_to_the_right(filmed, tmp_path):
    truth, _, _ = filmed(tmp_path)
    expected = 0.1 * np.cos(2 * pi * truth.t / 1.1)
    assert truth.theta == pytest.approx(expected, abs=1e-6)
    assert truth.lower == pytest.approx(np.stack([300 + 200 * np.sin(expected), 100 + 200 * np.cos(expected)], -1), abs=1e-3)
    assert np.arctan2(*(truth.lower - truth.upper).T) == pytest.approx(truth.theta, abs=1e-12)
    assert truth.upper_visible.all()
    assert truth.lower_visible.all()


def test_there_is_a_frame_at_every_tick_of_the_film_within_the_orbit(filmed, tmp_path):
    truth, _, _ = filmed(tmp_path, t=T + 5)
    assert truth.t == pytest.approx(np.arange(31) / 30, abs=1e-4)


def test_time_stamps_count_from_the_start_of_the_orbit(filmed, tmp_path):
    late, early = filmed(tmp_path, t=T + 5)[0], filmed(tmp_path)[0]
    assert late.theta == pytest.approx(early.theta, abs=1e-9)


def test_a_clock_is_filmed_on_its_own_orbit_in_seconds(tmp_path):
    clock = PendulumClock(frequency=2 * pi / 2.027)
    truth = render_clock(clock, [0.12, 0.0], 2.5, tmp_path / "clock.mp4", SMALL, Defects(variable_rate=0.1))
    orbit = clock.orbit(torch.tensor([0.12, 0.0]), torch.tensor(truth.exposed))
    assert truth.theta == pytest.approx(orbit.z[:, 0].numpy(), abs=1e-6)


def test_the_hand_of_the_clock_steps_once_a_swing(filmed, tmp_path):
    t = np.linspace(0, 3, 181)
    _, _, pictures = filmed(tmp_path, film=Film(size=SIZE), theta=0.05 * np.cos(2 * pi * t / 2), t=t)
    dial = [picture[15:85, 285:355].mean(2) for picture in pictures]  # above the pivot
    steps = [i for i in range(1, len(dial)) if np.abs(dial[i] - dial[i - 1]).max() > 50]
    assert steps == pytest.approx([15, 45, 75], abs=1), "at t = 0.5, 1.5 and 2.5, where the pendulum hangs down"


def test_several_clocks_hang_side_by_side(filmed, tmp_path):
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


def test_the_truth_is_saved_as_a_table(filmed, tmp_path):
    truth, _, _ = filmed(tmp_path, Defects(duplicated=0.1))
    truth.save(tmp_path / "clock.csv")
    table = pandas.read_csv(tmp_path / "clock.csv")
    assert list(table) == [
        *("t", "exposed", "duplicate", "theta"),
        *("upper_x", "upper_y", "upper_visible", "lower_x", "lower_y", "lower_visible"),
    ]
    assert table[["lower_x", "lower_y"]].to_numpy() == pytest.approx(truth.lower)
    assert table.duplicate.tolist() == truth.duplicate.tolist()


@pytest.mark.slow  # a long film is rendered
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
        ({"path": "clock.avi"}, "must end with .mp4"),
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
