"""A film whose start is kept in memory: the same frames, decoded once."""

from itertools import islice

import numpy as np
import pytest

from systems import InputError
from systems.film import Film, render
from systems.film.tracking import kept_film
from systems.film.tracking.decode import FilmReader
from systems.film.tracking.kept_film import KeptFilm


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    t = np.linspace(0, 2, 200)
    render((t, 0.2 * np.cos(6 * t)), path, Film(size=(160, 120), fps=20, hands=False))
    return path


@pytest.fixture
def decoded(monkeypatch):
    """The numbers of frames that each opened film has decoded."""
    counts = []

    def counting(self):
        counts.append(0)
        for one in FilmReader.pictures(self):
            counts[-1] += 1
            yield one

    monkeypatch.setattr(KeptFilm, "pictures", counting)
    return counts


def content(frames):
    return [(frame.t, *(plane.tobytes() for plane in (frame.y, frame.u, frame.v))) for frame in frames]


@pytest.mark.parametrize("room", [10**9, 100_000, 0])
def test_every_reading_yields_the_same_frames(path, monkeypatch, room):
    monkeypatch.setattr(kept_film, "MEMORY", room)
    truth = content(FilmReader(path).frames())
    film = KeptFilm(path, 1.0)
    for count in (5, None, 1, 30, None):
        assert content(islice(film.frames(), count)) == truth[:count]


def test_the_start_and_then_the_whole_are_decoded_once(path, decoded):
    film = KeptFilm(path, 1.0)
    before = sum(decoded)
    for count in (1, 21, 10, None):
        assert len(list(islice(film.frames(), count))) == (count or 41)
    assert sum(decoded) - before == 41


def test_a_film_that_breaks_off_is_refused_by_every_reading(path, monkeypatch):
    def breaking(self):
        yield from islice(FilmReader.pictures(self), 10)
        raise InputError("breaks off")

    monkeypatch.setattr(KeptFilm, "pictures", breaking)
    film = KeptFilm(path, 10.0)
    for _ in range(2):
        with pytest.raises(InputError, match="breaks off"):
            list(film.frames())
