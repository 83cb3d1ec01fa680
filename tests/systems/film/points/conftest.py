"""Small films, drawn as arrays, in which every place is known."""

import numpy as np
import pytest

HEIGHT, WIDTH = 120, 200
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
RED, GREY = (214, 24, 32), (60, 60, 60)


@pytest.fixture
def drawn():
    """Draw discs at places ``(n, T, 2)`` in front of a wall that is brighter on one side, with noise and an upright bar."""

    def draw(places, colour=RED, radius=5.0, bar=None, noise=2.0, seed=0):
        random = np.random.default_rng(seed)
        wall = np.repeat((80 + 120 * COLUMNS / WIDTH)[..., None], 3, axis=-1)
        film = []
        for each in np.moveaxis(np.asarray(places, float), 1, 0):
            picture = wall
            for x, y in each:
                cover = np.clip(radius + 0.5 - np.hypot(COLUMNS - x, ROWS - y), 0, 1)[..., None]
                picture = picture + cover * (np.array(colour, float) - picture)
            if bar is not None:
                picture = picture.copy()
                picture[:, slice(*bar)] = (90, 90, 60)
            film.append(picture + noise * random.normal(size=picture.shape))
        return np.clip(film, 0, 255).astype(np.uint8)

    return draw
