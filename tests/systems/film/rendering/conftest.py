"""Films of a small clock, with their truth and their decoded frames."""

from math import pi

import av
import numpy as np
import pytest

from systems.film import Film, render

SMALL = Film(size=(640, 360), pivot=(300.0, 100.0), rod=200.0)
T = np.linspace(0, 1, 121)
THETA = 0.1 * np.cos(2 * pi * T / 1.1)


def read(path):
    """The time stamps of a film, and its frames."""
    with av.open(str(path)) as container:
        frames = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]
    return np.array([t for t, _ in frames]), [picture.astype(np.float32) for _, picture in frames]


@pytest.fixture
def filmed():
    """Film into a folder; returns the truth, the time stamps in the file, and the frames."""

    def film_it(folder, defects=None, film=SMALL, theta=THETA, t=T, seed=0):
        truth = render((t, theta), folder / "clock.mp4", film, defects, seed=seed)
        return truth, *read(folder / "clock.mp4")

    return film_it
