"""Figure 9: noise carries a descent from valley to valley."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.analysis import Landscape, descent_noise, langevin
from physlearn.reproduction.figures import Drawn, Request, register

PATHS = {True: 200, False: 2000}  # realisations, by whether it is to be quick
SHOWN = 8  # of them
LEARNING_RATE, BATCH = 0.5, 10
TIME, STEP = 120.0, 2e-3


@register("fig9")
def noisy_descent(request: Request) -> Drawn:
    """Many realisations from one start in a drawn landscape, with the noise of stochastic gradient descent.

    The table has a row a minimum: its height, its sharpness, and the share of realisations that end in its valley.
    """
    landscape = Landscape.draw(seed=request.store.seed)
    sharpest = landscape.hessian(landscape.minima).diagonal(dim1=-2, dim2=-1).sum(-1).argmax()
    start = landscape.minima[sharpest].expand(PATHS[request.quick], 2)
    noise = descent_noise(landscape.value, landscape.valley_hessian, LEARNING_RATE, BATCH)
    settings = {
        "paths": PATHS[request.quick],
        "learning_rate": LEARNING_RATE,
        "batch_size": BATCH,
        "time": TIME,
        "dt": STEP,
        "start": "the sharpest minimum",
    }
    paths = langevin(landscape.gradient, start, noise, TIME, STEP, seed=request.store.seed, every=20)

    def census() -> pd.DataFrame:
        return landscape.census(paths.z[:, -1]).reset_index()

    table = request.store.table("census", settings, census)
    figure, ax = plt.subplots(figsize=(6.2, 4.6), layout="constrained")
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    plotting.noisy_descent(landscape.value, paths[:SHOWN], minima=landscape.minima, ax=ax)
    return Drawn(figure, table, settings)
