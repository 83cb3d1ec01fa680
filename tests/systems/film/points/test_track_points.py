"""Points in films: against places that were drawn, and against filmed clocks with their truth."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from systems import AccuracyWarning, InputError
from systems.film import Defects, Film, render, track_points

S = np.arange(60)
LINE = np.stack([25 + 2.5 * S, 40 + 0.5 * S], axis=1)
RED, GREY = (214, 24, 32), (60, 60, 60)


def off(found, truth, marker=0):
    """How far the places of a marker are from the truth, where it was seen."""
    return np.hypot(found.x[marker] - truth[:, 0], found.y[marker] - truth[:, 1])


@pytest.mark.parametrize("colour", [RED, GREY])
def test_a_spot_is_found_to_a_tenth_of_a_pixel(drawn, colour):
    found = track_points(drawn([LINE], colour), LINE[0] + (2, -2), fps=30)
    assert off(found, LINE).max() < 0.1
    assert (found.quality > 0.7).all()
    np.testing.assert_allclose(found.t, S / 30)


@pytest.mark.parametrize("radius", [1.5, 15])
def test_a_spot_may_be_tiny_or_large(drawn, radius):
    truth = np.stack([60 + 1.5 * S, np.full(len(S), 60.0)], axis=1)
    found = track_points(drawn([truth], GREY, radius=radius), truth[0], fps=30)
    assert np.isfinite(found.x).all()
    assert off(found, truth).max() < 0.5


def test_points_are_followed_in_both_directions_from_a_named_frame(drawn):
    found = track_points(drawn([LINE]), LINE[35], frame=35, fps=30)
    np.testing.assert_array_equal(found.frames, S)
    assert off(found, LINE).max() < 0.1


def test_two_markers_that_look_alike_keep_their_courses_when_they_cross(drawn):
    other = np.stack([175 - 2.5 * S, 75 - 0.4 * S], axis=1)
    found = track_points(drawn([LINE, other]), [LINE[0], other[0]], fps=30)
    for marker, truth in enumerate((LINE, other)):
        assert np.nanmax(off(found, truth, marker)) < 0.5
        assert np.isfinite(found.x[marker]).mean() > 0.8


@pytest.mark.parametrize("twin", [False, True])
def test_a_hidden_marker_is_lost_and_found_again_never_mistaken(drawn, twin):
    places = [LINE, np.tile((140.0, 20.0), (len(S), 1))][: 1 + twin]
    found = track_points(drawn(places, bar=(85, 115)), LINE[0], fps=30)
    hidden = (LINE[:, 0] > 85 + 3) & (LINE[:, 0] < 115 - 3)
    assert np.isnan(found.x[0][hidden]).all()
    assert (found.quality[0][hidden] == 0).all()
    assert np.isfinite(found.x[0][LINE[:, 0] > 122]).all()
    assert np.nanmax(off(found, LINE)) < 1


def test_a_marker_that_leaves_the_picture_is_lost(drawn):
    leaves = np.stack([130 + 2.5 * S, np.full(len(S), 60.0)], axis=1)
    with pytest.warns(AccuracyWarning, match="marker 0 of pictures is seen in 4.% of the frames only"):
        found = track_points(drawn([leaves]), leaves[0], fps=30)
    assert np.isnan(found.x[0][leaves[:, 0] > 196]).all()
    assert np.nanmax(off(found, leaves)) < 0.1


@pytest.mark.parametrize("course", ["bounces", "is held and released", "turns round and round"])
def test_no_kind_of_motion_is_expected(drawn, course):
    swing = np.where(S > 20, S - 20, 0)
    truth = {
        "bounces": np.stack([25 + 2.5 * S, 100 - np.abs(60 * np.sin(S / 8))], axis=1),
        "is held and released": np.stack([60 + 50 * np.cos(swing / 6), 60 + 0 * S], axis=1),
        "turns round and round": np.stack([100 + 45 * np.cos(S / 4), 60 + 45 * np.sin(S / 4)], axis=1),
    }[course]
    found = track_points(drawn([truth]), truth[0], fps=30)
    assert np.isfinite(found.x).sum() >= len(S) - 1
    assert np.nanmax(off(found, truth)) < 0.1
    assert np.nanmedian(found.errors) < 0.1


def test_a_texture_is_followed_by_its_picture(drawn):
    random = np.random.default_rng(1)
    texture = np.kron(random.uniform(0, 255, (60, 60, 3)), np.ones((4, 5, 1)))
    film = np.stack([texture[30 + k : 150 + k, 20 + 2 * k : 220 - 20 + 2 * k] for k in range(30)]).astype(np.uint8)
    k = np.arange(30)
    truth = np.stack([150 - 2 * k, 80 - k], axis=1)
    by_box = track_points(film, template=(140, 70, 21, 21), fps=30)
    assert off(by_box, truth).max() < 0.05
    by_picture = track_points(film, template=film[0, 70:91, 140:161], fps=30)
    np.testing.assert_allclose(by_picture.x, by_box.x, atol=0.05)


COLOURS = {"red": RED, "orange": (240, 130, 20), "yellow": (250, 214, 16)}
COLOURS |= {"green": (12, 148, 62), "cyan": (0, 178, 208), "blue": (20, 84, 214)}


@pytest.mark.parametrize("name", COLOURS)
def test_a_colour_is_told_from_all_others(drawn, name):
    film = drawn([np.tile((-50.0, 0.0), (3, 1))])
    places = {other: (20 + 30 * k, 60) for k, other in enumerate(COLOURS)}
    for other, (x, y) in places.items():
        film[:, y - 5 : y + 6, x - 5 : x + 6] = COLOURS[other]
    for given in (name, COLOURS[name]):
        found = track_points(film, colours=[given], fps=30)
        np.testing.assert_allclose((found.x[0, 0], found.y[0, 0]), places[name], atol=0.3)


def test_corrections_set_a_marker_right_or_hide_it(drawn, tmp_path):
    film = drawn([LINE])
    film[20:30] = film[0, :1, :1]  # nothing to see
    table = pd.DataFrame({"frame": [25, 40], "marker": [0, 0], "x": [LINE[25, 0], None], "y": [LINE[25, 1], None]})
    table.to_csv(tmp_path / "clicks.csv", index=False)
    for corrections in (tmp_path / "clicks.csv", table):
        found = track_points(film, LINE[0], fps=30, corrections=corrections)
        assert np.isfinite(found.x[0][[25, 39, 41]]).all()
        assert np.isnan(found.x[0][[22, 28, 40]]).all()
        assert found.errors[0, 25] >= 1  # a click is right to about a pixel
        assert np.nanmax(off(found, LINE)) < 0.1


def test_places_have_the_scale_and_the_axes_that_were_given(drawn):
    film = drawn([LINE])
    pixels = track_points(film, LINE[0], fps=30)
    metres = track_points(film, LINE[0], fps=30, scale=((20, 100), (120, 100), 0.5), origin=(20, 100), angle=30.0)
    assert metres.axes.y_up
    assert metres.axes.unit == "m"
    assert metres.axes.scale_error == pytest.approx(math.sqrt(0.5) / 100)
    right, up = 0.005 * (pixels.x - 20), 0.005 * (100 - pixels.y)
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    np.testing.assert_allclose(metres.x, c * right + s * up, atol=1e-12)
    np.testing.assert_allclose(metres.y, c * up - s * right, atol=1e-12)
    np.testing.assert_allclose(metres.errors, 0.005 * pixels.errors)
    np.testing.assert_allclose(metres.axes.to_pixels(metres.x, metres.y), (pixels.x, pixels.y))


def test_times_and_regions_limit_the_search(drawn):
    film = drawn([LINE])
    found = track_points(film, LINE[15], fps=30, time=(0.5, 1.0), region=(0, 0, 100, 120))
    np.testing.assert_array_equal(found.frames, np.arange(15, 31))
    assert np.isnan(found.x[0][LINE[15:31, 0] > 102]).all()
    assert np.nanmax(off(found, LINE[15:31])) < 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "by one of points, colours and template, not by none"),
        ({"points": (1, 1), "colours": "red"}, "not by points and colours"),
        ({"points": (500, 1)}, "outside of the frames of 200 x 120 pixels"),
        ({"points": (1, 2, 3)}, "points must be pixels"),
        ({"points": "red"}, "points must be pixels"),
        ({"points": (float("nan"), 1)}, "points must be pixels"),
        ({"points": (150, 60)}, "nothing at .150, 60. stands out"),
        ({"points": (25, 40), "frame": 99}, "has 60 frames, none of which is number 99"),
        ({"points": (25, 40), "frame": -1}, "frame counts from 0"),
        ({"points": (25, 40), "time": (2, 1)}, "time must be the first and the last"),
        ({"points": (25, 40), "time": (50, 60)}, "none of which is in time"),
        ({"points": (25, 40), "region": (500, 0, 9, 9)}, "region must be a box"),
        ({"points": (25, 40), "scale": 0}, "scale must be a positive number"),
        ({"points": (25, 40), "scale": ((1, 1), (1, 1), 1)}, "two pixels and their distance"),
        ({"points": (25, 40), "origin": (1,)}, "origin must be a pixel"),
        ({"points": (25, 40), "t": [0, 1]}, "either their times t or their rate fps"),
        ({"points": (25, 40), "corrections": {"frame": [0]}}, "corrections must have the columns"),
        ({"points": (25, 40), "corrections": {"frame": [0], "marker": [4], "x": [1], "y": [1]}}, "markers from 0 to 0"),
        ({"colours": "mauve"}, "no colour is named 'mauve'"),
        ({"colours": "green"}, "shows 0 markers of the colour green"),
        ({"template": (190, 0, 30, 30)}, "the box of a template must be"),
        ({"template": np.zeros((3, 3))}, "a template must be a box"),
        ({"template": np.random.default_rng(0).uniform(0, 1, (15, 15))}, "shows nothing like the template"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_a_sentence(drawn, arguments, message):
    film = drawn([LINE])
    with pytest.raises(InputError, match=message) as refusal:
        track_points(film, **{"fps": 30, **arguments})
    assert "\n" not in str(refusal.value)


def test_pictures_in_a_folder_a_list_and_an_array_are_the_same_film(drawn, tmp_path):
    cv2 = pytest.importorskip("cv2")
    film = drawn([LINE[:12]])
    for k, picture in enumerate(film):
        cv2.imwrite(str(tmp_path / f"picture{k}.png"), picture[..., ::-1])
    times = np.cumsum(np.linspace(0.1, 0.3, 12))
    paths = [tmp_path / f"picture{k}.png" for k in range(12)]
    expected = track_points(film, LINE[0], t=times)
    for given in (tmp_path, paths, list(film), film / 255.0, film.astype(np.uint16) * 257):
        found = track_points(given, LINE[0], t=times)
        np.testing.assert_allclose(found.x, expected.x, atol=1e-3)
        np.testing.assert_array_equal(found.t, times)


def test_a_film_whose_levels_are_not_finite_is_refused(drawn):
    film = drawn([LINE[:3]]) / 255.0
    film[1, 5, 5] = np.nan
    with pytest.raises(InputError, match="has values that are not finite"):
        track_points(film, LINE[0], fps=30)


def test_pixels_that_are_not_square_are_told(drawn, tmp_path):
    av = pytest.importorskip("av")
    for aspect in ("1:1", "4:3"):
        with av.open(str(tmp_path / "film.mp4"), "w") as film:
            stream = film.add_stream("libx264", rate=30, options={"crf": "10"})
            stream.width, stream.height, stream.pix_fmt = 200, 120, "yuv420p"
            stream.codec_context.sample_aspect_ratio = Fraction(aspect.replace(":", "/"))
            for picture in drawn([LINE[:12]]):
                film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            film.mux(stream.encode())
        if aspect == "1:1":
            assert off(track_points(tmp_path / "film.mp4", LINE[0]), LINE[:12]).max() < 0.3
    with pytest.warns(AccuracyWarning, match="are 1.333 times as wide as they are high"):
        track_points(tmp_path / "film.mp4", LINE[0])


@pytest.mark.parametrize("step", [1e-9, 1e9])
def test_the_unit_of_time_changes_nothing(drawn, step):
    k = np.arange(25)
    truth = np.stack([100 + 60 * np.sin(k / 4), 60 + 30 * np.cos(k / 7)], axis=1)
    one, other = (track_points(drawn([truth]), truth[0], t=unit * k) for unit in (1.0, step))
    np.testing.assert_allclose(other.x, one.x)
    np.testing.assert_allclose(other.errors, one.errors, rtol=1e-3)


@pytest.mark.parametrize("size", [(320, 180), pytest.param((1280, 720), marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "defects",
    [
        pytest.param(Defects(), marks=pytest.mark.slow),
        pytest.param(Defects(compression=24, noise=2), marks=pytest.mark.slow),
        Defects.moderate(),
        Defects(duplicated=0.1),
    ],
)
def test_errors_hold_in_films_with_defects(tmp_path, size, defects):
    t = np.linspace(0, 4, 2000)
    truth = render((t, 0.5 * np.cos(4 * t)), tmp_path / "film.mp4", Film(size=size, rod=size[1] / 2), defects, seed=3)
    found = track_points(tmp_path / "film.mp4", [truth.upper[0], truth.lower[0]])
    if truth.duplicate.sum() > 5:  # the very last frame, and those at a turning point, cannot be told
        assert np.isnan(found.x[1][truth.duplicate]).mean() > 0.8
    for marker, (places, visible) in enumerate(((truth.upper, truth.upper_visible), (truth.lower, truth.lower_visible))):
        shown = visible & ~truth.duplicate
        seen = shown & np.isfinite(found.x[marker])
        assert seen.sum() > 0.85 * shown.sum()
        miss = np.stack([found.x[marker], found.y[marker]], axis=1)[seen] - places[seen]
        normal = np.abs(miss) / found.errors[marker][seen][:, None]
        assert (normal < 1).mean() > 0.6
        assert (normal < 2).mean() > 0.9
        assert np.median(found.errors[marker][seen]) < 0.35
