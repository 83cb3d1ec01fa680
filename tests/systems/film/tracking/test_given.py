"""Markers that a user gives, and swings that are not even, in rendered and in real films."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from systems import InputError
from systems.film import Film, render, track
from systems.film.tracking.given import best

W = 4.0  # 1/s, of small swings
SMALL = 2 * np.pi / W
MOTIONS = {
    "75 degrees": (1.3, 0.0, 0.0, 0.0),
    "89 degrees": (1.553, 0.0, 0.02, 0.0),
    "149 degrees": (2.6, 0.0, 0.05, 0.0),
    "full turns": (0.1, 9.0, 0.08, 0.0),
    "strongly damped": (0.35, 0.0, 0.6, 0.0),
    "held and released": (0.5, 0.0, 0.03, 3.0),
}


def filmed(path, angle, rate, gamma, hold, duration=8.0):
    """Render a pendulum that is held before it swings; markers are red and blue."""
    t = np.linspace(0, duration, 2000)
    free = t[t >= hold]
    swing = solve_ivp(
        lambda _, z: [z[1], -(W**2) * np.sin(z[0]) - 2 * gamma * z[1]],
        (hold, duration),
        [angle, rate],
        "Radau",
        free,
        rtol=1e-9,
    )
    theta = np.concatenate([np.full(len(t) - len(free), angle), swing.y[0]])
    film = Film(size=(240, 240), fps=30, pivot=(120.0, 112.0), rod=88.0, marker=5, bob=8, case=False, hands=False)
    return render((t, theta), path, film)


def check(path, truth, markers, ends):
    """Check that the marker is followed in nearly all frames, and the angle, but for full turns."""
    tracked = track(path, markers=markers)
    (report,) = tracked.report
    assert report.ends == ends or markers is None
    assert report.lost <= 20  # of 241; where the film shows more than the marker, the first swings are the hardest
    assert report.small_period == pytest.approx(SMALL, rel=4e-3)
    off = np.angle(np.exp(1j * (tracked.table["theta"] - truth.theta)))
    assert np.degrees(np.sqrt(np.nanmean(off**2))) < 0.15
    return report


def pixels(truth):
    return [tuple(end[0].round()) for end in (truth.upper, truth.lower)]


@pytest.mark.parametrize("kind", ["149 degrees"])
def test_a_wide_swing_is_followed_from_the_pixel_that_the_user_gives(tmp_path, kind):
    truth = filmed(tmp_path / "film.mp4", *MOTIONS[kind])
    check(tmp_path / "film.mp4", truth, pixels(truth)[1:], 1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", MOTIONS)
def test_every_kind_of_swing_is_followed_by_pixel_by_colour_and_unaided(tmp_path, kind):
    truth = filmed(tmp_path / "film.mp4", *MOTIONS[kind])
    upper, lower = pixels(truth)
    for markers, ends in (([upper, lower], 2), ([lower], 1), ("red,blue", 2), ("blue", 1), (None, 2)):
        report = check(tmp_path / "film.mp4", truth, markers, ends)
        if kind == "held and released":
            assert report.release == pytest.approx(3.0, abs=0.02)


def test_a_point_outside_of_the_film_and_one_that_shows_nothing_are_refused(tmp_path):
    t = np.linspace(0, 2, 200)
    film = Film(size=(240, 240), pivot=(120.0, 60.0), rod=88.0, case=False, hands=False)
    render((t, 0.1 * np.cos(W * t)), tmp_path / "film.mp4", film)
    with pytest.raises(InputError, match="outside of the film's frames"):
        track(tmp_path / "film.mp4", markers=[(300, 20)])
    with pytest.raises(InputError, match="no marker is visible at"):
        track(tmp_path / "film.mp4", markers=[(20, 200)])


FILMS = {  # film, given pixels, period, amplitude [degrees] and its error: of the swing as the film's description states it
    "a small metal bob": ("small_metal_bob", [(458, 587)], 1.334, 27.6, 0.5),
    "a small metal bob and its pivot": ("small_metal_bob", [(458, 587), (573, 73)], 1.334, 27.6, 0.5),
    "a dot in the dark and its pivot": ("dot_in_the_dark", [(399, 600), (638, 106)], 1.284, 39.7, 2.0),
    "a dot in the dark": ("dot_in_the_dark", [(399, 600)], 1.284, 39.7, 2.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILMS)
def test_real_films_give_what_is_known_of_them(data, kind):
    name, markers, period, amplitude, error = FILMS[kind]
    (report,) = track(data / "films" / f"{name}.mp4", markers=markers).report
    assert report.period == pytest.approx(period, rel=4e-3)  # the dot's time slips twice
    assert np.degrees(report.amplitude) == pytest.approx(amplitude, abs=error)


@pytest.mark.slow
@pytest.mark.parametrize("markers", [None, [(423, 303)]])
def test_an_animation_that_starts_at_90_degrees_and_turns_over(data, markers):
    tracked = track(data / "films" / "red_bob_animation.mp4", markers=markers)
    (report,) = tracked.report
    assert report.small_period == pytest.approx(0.66, abs=0.01)
    assert report.lost == 0
    assert np.degrees(abs(tracked.table["theta"][0])) == pytest.approx(90, abs=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "markers"), [("rolling_cylinder", None), ("rolling_cylinder", [(292, 114)]), ("tiny_bob_animation", None)]
)
def test_a_film_of_no_pendulum_is_refused_in_one_sentence(data, name, markers):
    with pytest.raises(InputError, match=r"does not swing|no marker swings") as refusal:
        track(data / "films" / f"{name}.mp4", markers=markers)
    assert "\n" not in str(refusal.value)


def test_a_path_that_jumps_to_something_slower_is_not_the_best():
    t = np.arange(240) / 30
    right = 100 * np.cos(4 * t) + np.random.default_rng(0).normal(0, 0.3, 240)
    jumps = np.where(t < 3, 100 * np.cos(4 * t), 10 * np.cos(4 * t)) + 0j
    still = np.zeros(240, complex)
    assert best([right + 0j, jumps, still]) == 0
