"""Tracking a film and forecasting from it, as a user has them."""

import json
import math

import av
import pandas as pd
import pytest
import torch
import xarray as xr

from systems.film import Film, Positions, render_clock, track
from systems.film.overlay import overlay
from systems.pendulum_clock import PendulumClock

PERIOD = 1.5


def filmed(path, seconds):
    """A film of a clock that swings in 1.5 s."""
    clock = PendulumClock(frequency=2 * math.pi / PERIOD)
    render_clock(clock, torch.tensor([0.093, 0.0]), seconds, path, Film(size=(640, 360)))
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return filmed(tmp_path_factory.mktemp("film") / "clock.mp4", 8.0)


def test_track_writes_angles_picture_and_overlay(run, film, tmp_path):
    paths = [tmp_path / name for name in ("angles.csv", "track.png", "overlay.mp4")]
    result = run("track", film, "--out", paths[0], "--plot", paths[1], "--overlay", paths[2], "--json")
    (report,) = json.loads(result.out)["result"]
    assert report["period"] == pytest.approx(PERIOD * (1 + 0.093**2 / 16), rel=2e-3)
    table = pd.read_csv(paths[0])
    assert {"pendulum", "t", "theta", "omega", "alpha", "theta_error", "omega_error", "alpha_error", "quality"} <= set(table)
    assert len(table) == report["frames"] == 241
    assert xr.load_dataset(tmp_path / "angles.nc", engine="h5netcdf").sizes["time"] == 241
    assert all(path.stat().st_size > 1000 for path in paths)


def test_the_overlay_has_the_film_s_frames_and_times(film, tmp_path):
    overlay(film, track(film), tmp_path / "overlay.mp4")
    times = []
    for path in (film, tmp_path / "overlay.mp4"):
        with av.open(str(path)) as container:
            times.append([frame.time for frame in container.decode(video=0)])
    assert times[1] == pytest.approx(times[0], abs=1e-3)


def test_colours_and_pixels_may_be_given(run, film, tmp_path):
    by_colour = run("track", film, "--markers", "red,blue", "--out", tmp_path / "a.csv", "--json")
    pixels = track(film).markers.groupby("end")[["x", "y"]].first()
    text = ";".join(f"{x:.0f},{y:.0f}" for x, y in pixels.to_numpy())
    by_pixel = run("track", film, "--markers", text, "--out", tmp_path / "b.csv", "--json")
    periods = [json.loads(result.out)["result"][0]["period"] for result in (by_colour, by_pixel)]
    assert periods[0] == pytest.approx(periods[1], rel=1e-3)


def test_a_film_is_tracked_learned_and_forecast(run, tmp_path_factory, tmp_path):
    film = filmed(tmp_path_factory.mktemp("film") / "clock.mp4", 20.0)
    result = run(
        "forecast", "pendulum-clock", "--film", film, "--markers", "red,blue", "--model", "linear", "--out", tmp_path, "--json"
    )
    rows = json.loads(result.out)["result"]["film"]["rows"]
    assert [row["forecast"] for row in rows] == ["truth", "linear + gauss-legendre-4"]
    assert rows[1]["valid_time"] > 2 * PERIOD  # all of the last fifth
    assert abs(rows[1]["phase_error_end"]) < 0.1
    assert {path.name for path in tmp_path.iterdir()} >= {"angles.csv", "track.png", "film-report.html", "film-forecast.png"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["track", "nothing.mp4"], "no film"),
        (["track", __file__], "not a film"),
        (["track", "FILM", "--markers", "mauve,teal"], "colour"),
        (["track", "FILM", "--markers", "1,2;x"], "--markers"),
        (["track", "FILM", "--plot", "picture.txt"], "picture"),
        pytest.param(["track", "FILM", "--pendulums", "7"], "7", marks=pytest.mark.slow),  # seven are looked for everywhere
        (["forecast", "pendulum-clock", "--film", "FILM", "--energy", "1", "--out", "o"], "--energy"),
        (["forecast", "henon-heiles", "--film", "FILM", "--out", "o"], "the angle theta, which henon-heiles does not have"),
        (["forecast", "pendulum-clock", "--markers", "red", "--out", "o"], "--markers is for a film"),
        (["forecast", "pendulum-clock", "--film", "FILM", "--pendulum", "1", "--out", "o"], "shows 1 pendulums"),
        (["forecast", "pendulum-clock", "--film", "FILM", "--data", "a.csv", "--out", "o"], "--film"),
    ],
)
def test_wrong_uses_get_one_line(refused, film, tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    assert told in refused(*(film if argument == "FILM" else argument for argument in arguments))


def test_places_of_any_marker_are_written_with_a_scale(run, film, tmp_path):
    paths = [tmp_path / "positions.csv", tmp_path / "places.png"]
    scale = ["--scale", "100,50;400,50;0.6", "--origin", "320,108"]
    result = run(
        "track", film, "--points", "320,324", "--time", "1,3", *scale, "--out", paths[0], "--plot", paths[1], "--json"
    )
    (marker,) = json.loads(result.out)["result"]
    assert (marker["frames"], marker["seen"], marker["unit"]) == (61, 61, "m")
    table = pd.read_csv(paths[0])
    swing = 216 * 0.002 * 0.093  # of a rod of 216 pixels, 2 mm each
    assert table["x"].max() == pytest.approx(swing, rel=0.05)
    assert table["y"].median() == pytest.approx(-216 * 0.002, rel=0.01)
    assert all(path.stat().st_size > 1000 for path in paths)
    run("track", film, "--colours", "blue", "--time", "0,1", "--out", tmp_path / "positions.nc")
    assert len(Positions.load(tmp_path / "positions.nc").t) == 31


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--points", "1,2,3"], "--points takes 2 numbers, such as 640,360, not '1,2,3'"),
        (["--template", "1,2"], "--template takes 4 numbers"),
        (["--points", "320,324", "--scale", "1,2;3,4"], "--scale takes metres per pixel"),
        (["--points", "320,324", "--time", "1"], "--time takes 2 numbers"),
        (["--points", "320,324", "--markers", "red"], "--markers is for pendulums"),
        (["--points", "320,324", "--out", "places.txt"], "--out must end with .csv or .nc, which places.txt does not"),
    ],
)
def test_wrong_options_of_places_are_told_in_a_line(refused, film, arguments, message):
    assert message in refused("track", film, *arguments)
