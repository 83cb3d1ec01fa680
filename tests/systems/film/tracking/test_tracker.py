"""The tracker, against films whose truth is known, and against recordings of real pendulums."""

import math
from importlib import import_module

import av
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.signal import savgol_filter

from systems import InputError
from systems.film import Defects, Film, from_markers, render, render_clock, track
from systems.film.rendering import video
from systems.pendulum_clock import PendulumClock

PERIOD = 2 * math.pi / 4.0
SMALL = Film(size=(640, 360))


def swing(t, amplitude=0.08, phase=0.3):
    return amplitude * np.cos(4.0 * t + phase)


def filmed(path, defects=None, duration=8.0, film=SMALL, seed=0):
    t = np.linspace(0, duration, 2000)
    return render((t, swing(t)), path, film, defects, seed=seed)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "clean.mp4"
    return path, filmed(path, film=Film())


def degrees_rms(x):
    return np.degrees(np.sqrt(np.nanmean(np.square(x))))


def test_a_clean_film_gives_its_angles_and_period(clean):
    path, truth = clean
    tracked = track(path)
    (report,) = tracked.report
    assert degrees_rms(tracked.table["theta"] - truth.theta) < 0.02
    assert report.period == pytest.approx(PERIOD, rel=2e-4)
    assert report.lost == 0


@pytest.mark.parametrize(
    "defects",
    [
        pytest.param(Defects(rotation=90), marks=pytest.mark.slow),
        pytest.param(Defects(rotation=-77), marks=pytest.mark.slow),
        pytest.param(Defects(noise=4), marks=pytest.mark.slow),
        pytest.param(Defects(exposure=0.5), marks=pytest.mark.slow),
        Defects(shake=1.5),
        pytest.param(Defects(uneven_light=0.5), marks=pytest.mark.slow),
        pytest.param(Defects(compression=24), marks=pytest.mark.slow),
        pytest.param(Defects(variable_rate=0.2), marks=pytest.mark.slow),
    ],
    ids=lambda defects: ", ".join(f"{k}" for k, v in vars(defects).items() if v),
)
def test_a_defect_alone_costs_little(tmp_path, defects):
    truth = filmed(tmp_path / "film.mp4", defects)
    tracked = track(tmp_path / "film.mp4")
    assert degrees_rms(tracked.table["theta"] - truth.theta) < 0.1
    assert tracked.report[0].period == pytest.approx(PERIOD, rel=1e-3)


def test_frames_that_repeat_the_one_before_are_gaps_and_not_a_stop(tmp_path, monkeypatch):
    truth = filmed(tmp_path / "film.mp4", Defects(duplicated=0.15))
    # they leave no doubt about what was followed, so that the film is not searched for anything else
    monkeypatch.setattr(import_module("systems.film.tracking.tracker"), "starts_of", lambda *_: pytest.fail("looked again"))
    table = track(tmp_path / "film.mp4").table
    assert table["theta"][truth.duplicate].isna().mean() > 0.9  # at a turning point, some cannot be told
    assert degrees_rms(table["theta"] - truth.theta) < 0.05


def test_a_hidden_marker_is_a_gap_and_never_invented(tmp_path):
    truth = filmed(tmp_path / "film.mp4", Defects(hand=1), duration=12.0)
    table = track(tmp_path / "film.mp4").table
    hidden = ~(truth.upper_visible & truth.lower_visible)
    assert hidden.any()
    assert (table["quality"][table["theta"].isna()] == 0).all()
    assert degrees_rms(table["theta"] - truth.theta) < 0.1


@pytest.mark.slow  # 5 s
def test_several_clocks_are_numbered_from_the_left(tmp_path):
    t = np.linspace(0, 8, 2000)
    angles = np.stack([0.05 * np.cos(4.0 * t), 0.07 * np.cos(4.6 * t + 1)])
    render((t, angles), tmp_path / "two.mp4", Film(size=(960, 540)))
    reports = track(tmp_path / "two.mp4").report
    assert [report.period for report in reports] == pytest.approx([2 * math.pi / 4.0, 2 * math.pi / 4.6], rel=1e-3)


@pytest.mark.slow
def test_a_clock_with_all_moderate_defects_is_not_lost(tmp_path):
    clock = PendulumClock(frequency=4.0)
    truth = render_clock(clock, torch.tensor([0.09, 0.0]), 12.0, tmp_path / "film.mp4", defects=Defects.moderate(), seed=3)
    tracked = track(tmp_path / "film.mp4")
    assert degrees_rms(tracked.table["theta"] - truth.theta) < 0.1
    gain = np.nansum(tracked.table["theta"] * truth.theta) / np.nansum(np.square(truth.theta[tracked.table["theta"].notna()]))
    assert gain == pytest.approx(1, abs=0.01)  # the oblique view is undone


def test_rates_do_not_lag(clean):
    path, _ = clean
    orbit = max(track(path).orbits, key=lambda orbit: len(orbit.t))
    t, rates = orbit.t.numpy(), orbit.rate.numpy()
    columns = np.stack([np.cos(4.0 * t), np.sin(4.0 * t)], axis=1)

    def phase(x):
        a, b = np.linalg.lstsq(columns, x, rcond=None)[0]
        return math.atan2(b, a)

    angle, velocity, acceleration = (phase(x) for x in (orbit.z[:, 0].numpy(), rates[:, 0], rates[:, 1]))
    for ahead, lag in ((math.pi / 2, velocity - angle), (math.pi, acceleration - angle)):
        off = (lag + ahead + math.pi) % (2 * math.pi) - math.pi
        assert abs(off) / 4.0 < 1e-3  # seconds: a thirtieth of a frame


def test_the_errors_are_honest():
    rng = np.random.default_rng(0)
    t = np.arange(900) / 30
    upper, lower = np.zeros((900, 2)), 300 * np.stack([np.sin(swing(t)), np.cos(swing(t))], axis=1)
    noisy = lower + rng.normal(scale=0.3, size=lower.shape)
    table = from_markers(t, upper, noisy).table
    off = table["theta"] - table["theta"].mean() - (swing(t) - swing(t).mean())
    within = (off.abs() < table["theta_error"]).mean()
    assert 0.55 < within < 0.8  # 68 % of them


def test_two_clocks_on_a_post_are_tracked_without_being_told_anything(data):
    left, right = track(data / "two_clock_pendulums.mp4").report
    for report, amplitude in ((left, 3.24), (right, 4.19)):
        assert report.frames == 94
        assert report.lost == 0
        assert report.period == pytest.approx(1.14, abs=0.02)
        assert np.degrees(report.mean_amplitude) == pytest.approx(amplitude, abs=0.5)


def test_a_ball_whose_pivot_is_not_in_the_film_is_measured_by_its_arc(data):
    (report,) = track(data / "damped_ball_pendulum.mp4").report
    assert report.ends == 1
    assert report.period == pytest.approx(2.63, abs=0.03)
    assert report.decay == pytest.approx(0.0315, rel=0.05)
    assert np.degrees(report.amplitude) == pytest.approx(9.7, abs=1.0)
    assert report.conditioning > 1


def test_the_markers_of_the_recorded_clock_give_its_angles(data):
    markers = pd.read_csv(data / "clock_markers_pixels.csv", header=None)
    numbers = markers.apply(pd.to_numeric, errors="coerce").dropna().to_numpy()
    angles = np.loadtxt(data / "clock_angles.csv", delimiter=",")
    n = len(angles)
    places = numbers[:n, -4:]
    t = angles[:, 0]
    table = from_markers(t, places[:, 2:], places[:, :2]).table
    theta = table["theta"].to_numpy()
    theta, given = theta - np.nanmean(theta), angles[:, 1] - angles[:, 1].mean()
    sign = np.sign(np.nansum(theta * given))
    assert np.nanstd(sign * theta - given) < 0.1 * given.std()
    smooth = savgol_filter(given, 31, 5, deriv=1, delta=float(np.diff(t).mean()))
    seen = table["omega"].notna().to_numpy()
    assert np.corrcoef(sign * table["omega"].to_numpy()[seen], smooth[seen])[0, 1] > 0.999


@pytest.mark.parametrize("what", ["text", "truncated", "still", "missing"])
def test_what_cannot_be_tracked_gets_one_sentence(tmp_path, clean, what):
    path = tmp_path / "film.mp4"
    if what == "text":
        path.write_text("not a film")
    elif what == "truncated":
        whole = clean[0].read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif what == "still":
        t = np.linspace(0, 3, 100)
        render((t, 0 * t), path, Film(size=(640, 360), hands=False))
    with pytest.raises(FileNotFoundError if what == "missing" else InputError) as refusal:
        track(path)
    assert "\n" not in str(refusal.value)


def test_short_gaps_are_bridged_and_long_ones_end_an_orbit():
    t = np.arange(600) / 30
    theta = swing(t) + 1e-4 * np.random.default_rng(0).standard_normal(len(t))
    lower = np.stack([300 * np.sin(theta), 300 * np.cos(theta)], 1)
    lower[[50, 51, 52, 200, 201]] = np.nan
    lower[300:340] = np.nan
    tracked = from_markers(t, np.zeros((600, 2)), lower)
    assert tracked.table["theta"].isna().sum() == 45  # in the table nothing is invented
    first, second = tracked.orbits
    assert first.t[-1] < t[300] < t[339] < second.t[0]
    for orbit in (first, second):
        at = orbit.t.numpy()
        assert np.allclose(np.diff(at), 1 / 30)
        assert np.abs(orbit.z[:, 0].numpy() - swing(at)).max() < 4e-4
        assert np.abs(orbit.rate[:, 1].numpy() + 16 * swing(at)).max() < 0.05 * 16 * 0.08


def test_a_clean_swing_keeps_all_of_its_acceleration():
    t = np.arange(900) / 30
    x = swing(t)
    tracked = from_markers(t, np.zeros((900, 2)), np.stack([300 * np.sin(x), 300 * np.cos(x)], 1))
    (orbit,) = tracked.orbits
    at = orbit.t.numpy()
    assert orbit.rate[:, 1].numpy() == pytest.approx(-16 * swing(at), abs=1e-4 * 16 * 0.08)


@pytest.mark.slow
def test_small_markers_of_a_spoiled_film_are_found_where_the_user_says(tmp_path):
    clock = PendulumClock(frequency=2 * math.pi / 2.027)
    path = tmp_path / "film.mp4"
    truth = render_clock(clock, [0.093, 0.0], 20.0, path, SMALL, Defects.moderate(), seed=3)
    (report,) = track(path, markers=[tuple(truth.upper[0].round()), tuple(truth.lower[0].round())]).report
    assert report.ends == 2
    assert report.period == pytest.approx(clock.period, rel=1e-3)
    assert report.lost < 0.1 * report.frames


@pytest.mark.parametrize(("filmed_at", "converted_to"), [(24, 30), pytest.param(30, 60, marks=pytest.mark.slow)])
def test_frames_that_a_conversion_repeats_are_found(tmp_path, filmed_at, converted_to):
    film = Film(size=(320, 180), fps=filmed_at, pivot=(160.0, 20.0), rod=120.0, marker=5)
    filmed(tmp_path / "film.mp4", duration=6.0, film=film)
    with av.open(str(tmp_path / "film.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    shown = [int(k * filmed_at / converted_to + 1e-9) for k in range(len(pictures) * converted_to // filmed_at)]
    stamps = [k * video.TICKS // converted_to for k in range(len(shown))]
    path = tmp_path / "converted.mp4"
    video.write(path, (pictures[k] for k in shown), stamps, film.size, converted_to, 20)
    repeated = np.diff(shown, prepend=-1) == 0
    tracked = track(path)
    lost = tracked.table["theta"].isna().to_numpy()
    assert lost[repeated].mean() > 0.55  # near a turning point, which is a third of the time, they cannot be told
    assert lost[~repeated].mean() < 0.01
    assert tracked.report[0].period == pytest.approx(PERIOD, rel=1e-3)
