"""Seconds of film that are tracked in a second: above 1 is faster than the clock swings. And the whole way to a forecast.

Reading the film alone is the rival that no tracker can beat.
"""

import sys
from math import pi
from subprocess import DEVNULL, run

import pytest

from systems.film import Defects, Film, render_clock, track
from systems.film.tracking.decode import FilmReader
from systems.pendulum_clock import PendulumClock

DURATION = 20.0
KINDS = {"clean": Defects(), "moderate": Defects.moderate()}


def filmed(path, kind):
    clock = PendulumClock(frequency=2 * pi / 2.027)
    render_clock(clock, [0.093, 0.0], DURATION, path, Film(size=(1280, 720), fps=30), KINDS[kind])
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    return {kind: filmed(folder / f"{kind}.mp4", kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_reading(kind, films, benchmark):
    benchmark.group = "film"
    benchmark.extra_info.update(name=f"read, {kind}", work=DURATION, rival="")
    benchmark.pedantic(lambda: sum(1 for _ in FilmReader(films[kind]).frames()), rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("kind", KINDS)
def test_tracking(kind, films, benchmark):
    benchmark.group = "film"
    benchmark.extra_info.update(name=f"track, {kind}", work=DURATION, rival=f"read, {kind}")
    benchmark.pedantic(track, (films[kind],), rounds=3, warmup_rounds=1)


def test_from_a_clock_to_its_forecast(tmp_path, benchmark):
    benchmark.group = "film"
    benchmark.extra_info.update(name="render, track, learn, forecast", work=DURATION, rival="")

    def chain():
        film = filmed(tmp_path / "clock.mp4", "clean")
        command = [sys.executable, "-m", "physlearn.cli", "forecast", "pendulum-clock"]
        run([*command, "--film", film, "--out", tmp_path / "results"], stdout=DEVNULL, check=True)

    benchmark.pedantic(chain, rounds=1)
