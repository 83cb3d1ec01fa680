"""The copy of a film with what was tracked drawn on it."""

import struct

import av
import numpy as np
import pytest

from systems.film import Film, render, track, track_points
from systems.film.overlay import COLOURS, overlay
from systems.film.tracking.decode import FilmReader

PIVOT, ROD = (160.0, 30.0), 110.0
TURNED = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)  # of a telephone that films upright
UPRIGHT = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    t = np.linspace(0, 3, 400)
    look = Film(size=(320, 180), fps=20, pivot=PIVOT, rod=ROD, marker=6, bob=8, case=False, hands=False)
    return path, render((t, 0.5 * np.cos(5 * t)), path, look)


def pictures(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]


def drawn(picture, x, y, reach=5):
    """Return whether the first pendulum's colour is near a place of a picture."""
    part = picture[round(y) - reach : round(y) + reach + 1, round(x) - reach : round(x) + reach + 1]
    return bool((np.abs(part - COLOURS[0]).sum(-1) < 150).any())


def test_the_pivot_and_the_arc_of_a_single_end_are_drawn(film, tmp_path):
    path, truth = film
    tracked = track(path, markers="blue")
    assert tracked.report[0].ends == 1
    overlay(path, tracked, tmp_path / "drawn.mp4")
    picture = pictures(tmp_path / "drawn.mp4")[10]
    before = pictures(path)[10]
    lowest = PIVOT[0], PIVOT[1] + ROD
    for x, y in (PIVOT, lowest, truth.lower[10]):
        assert drawn(picture, x, y)
        assert not drawn(before, x, y)


def test_a_film_that_players_turn_is_drawn_as_it_is_seen(film, tmp_path):
    path, truth = film
    content = path.read_bytes()
    assert UPRIGHT in content
    turned = tmp_path / "turned.mp4"
    start = content.index(b"tkhd")
    turned.write_bytes(content[:start] + content[start:].replace(UPRIGHT, TURNED, 1))
    assert FilmReader(turned).rotation == -90
    overlay(turned, track(turned, markers="blue"), tmp_path / "drawn.mp4")
    picture = pictures(tmp_path / "drawn.mp4")[10]
    assert picture.shape[:2] == (320, 180)
    x, y = truth.lower[10]
    assert drawn(picture, 179 - y, x)  # a quarter turn clockwise


def test_markers_are_drawn_with_the_path_of_their_last_second(film, tmp_path):
    path, truth = film
    found = track_points(path, truth.lower[12], frame=12, time=(0.5, 2.5), scale=0.01, origin=PIVOT)
    overlay(path, found, tmp_path / "drawn.mp4")
    drawn_pictures = pictures(tmp_path / "drawn.mp4")
    assert len(drawn_pictures) == len(found.t) == 41  # from frame 10 on
    assert drawn(drawn_pictures[5], *truth.lower[15])
    assert drawn(drawn_pictures[30], *truth.lower[40])
    assert drawn(drawn_pictures[30], *truth.lower[30], reach=2)  # half a second before
    assert not drawn(pictures(path)[40], *truth.lower[30], reach=2)


def test_a_film_in_memory_is_drawn(tmp_path):
    y, x = np.mgrid[:64, :97]
    film = np.stack([255 * (np.hypot(x - 20 - k, y - 30) < 5) for k in range(40)]).astype(np.uint8)
    overlay(film, track_points(film, points=(20, 30), fps=30), tmp_path / "drawn.mp4")
    picture = pictures(tmp_path / "drawn.mp4")[20]
    assert picture.shape == (64, 96, 3)
    assert drawn(picture, 40, 30, reach=7)
