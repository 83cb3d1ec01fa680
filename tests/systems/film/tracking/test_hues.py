"""The names of colours, against the standards that turn red, green and blue into what a film stores."""

import numpy as np
import pytest

from systems.film import Film, render, track
from systems.film.tracking.hues import HUES, name_of

NAMED = {  # the colours of the web (CSS Color Module Level 4) by the name that a user calls them
    "red": [(255, 0, 0), (220, 20, 60), (178, 34, 34), (139, 0, 0)],
    "orange": [(255, 165, 0), (255, 140, 0), (255, 127, 80)],
    "yellow": [(255, 255, 0), (255, 215, 0), (240, 230, 140)],
    "green": [(0, 128, 0), (0, 255, 0), (34, 139, 34), (0, 255, 127)],
    "cyan": [(0, 255, 255), (0, 128, 128), (64, 224, 208)],
    "blue": [(0, 0, 255), (30, 144, 255), (65, 105, 225), (0, 0, 128)],
    "purple": [(128, 0, 128), (138, 43, 226), (75, 0, 130), (238, 130, 238)],
    "pink": [(255, 105, 180), (255, 20, 147), (255, 192, 203)],
}
LUMA = {"BT.601": (0.299, 0.587, 0.114), "BT.709": (0.2126, 0.7152, 0.0722)}  # weights of red, green and blue
PAINTS = {
    "red": (214, 24, 32),
    "orange": (245, 130, 20),
    "yellow": (250, 214, 16),
    "green": (12, 148, 62),
    "cyan": (0, 178, 208),
    "blue": (20, 84, 214),
    "purple": (128, 0, 160),
    "pink": (255, 105, 180),
}


@pytest.mark.parametrize("standard", LUMA)
@pytest.mark.parametrize("name", HUES)
def test_colours_of_the_web_have_their_names(name, standard):
    kr, _, kb = weights = LUMA[standard]
    for rgb in NAMED[name]:
        y = np.dot(weights, rgb)
        u, v = (rgb[2] - y) / (2 - 2 * kb), (rgb[0] - y) / (2 - 2 * kr)
        assert name_of(16 + 219 / 255 * y, 128 + 224 / 255 * u, 128 + 224 / 255 * v) == name, rgb


def followed(path, upper, lower, name):
    """Return the median distance of the tracked marker of a given colour from the lower one of a rendered film [pixels]."""
    t = np.linspace(0, 4, 400)
    film = Film(size=(320, 180), fps=20, marker=6, bob=3, case=False, hands=False, markers=((PAINTS[upper], PAINTS[lower]),))
    truth = render((t, 0.3 * np.cos(5 * t)), path, film)
    tracked = track(path, markers=name)
    assert len(tracked.report) == 1
    places = tracked.markers.loc[tracked.markers["end"] == "lower", ["x", "y"]].to_numpy()
    return np.nanmedian(np.hypot(*(places - truth.lower).T))


def test_red_is_followed_beside_blue(tmp_path):
    assert followed(tmp_path / "film.mp4", "blue", "red", "red") < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("upper", PAINTS)
@pytest.mark.parametrize("lower", PAINTS)
def test_every_colour_is_followed_alone_and_beside_every_other(tmp_path, upper, lower):
    assert followed(tmp_path / "film.mp4", upper, lower, lower) < 0.3
