"""Figure 9: noise carries a descent from valley to valley."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.analysis import Landscape, descent_noise, langevin
from physlearn.analysis.langevin import Diffusion
from physlearn.reproduction.figures import Drawn, Request, register
from systems import Orbit

PATHS = {True: 200, False: 2000}  # realisations, by whether it is to be quick
SHOWN = 8  # paths
EVERY = 20  # steps
LEARNING_RATE, BATCH = 0.5, 10
TIME, STEP = 120.0, 2e-3


@register("fig9")
def noisy_descent(request: Request) -> Drawn:
    """Many realisations from one start in a drawn landscape, with the noise of stochastic gradient descent.

    The table has a row a minimum: its height, its sharpness, and the share of realisations that end in its valley; and, as a
    control, that share for noise that is the same in all directions and everywhere, of the same mean strength at the minima.
    """
    seed = request.store.seed
    landscape = Landscape.draw(seed=seed)
    sharpness = landscape.hessian(landscape.minima).diagonal(dim1=-2, dim2=-1).sum(-1)
    start = landscape.minima[sharpness.argmax()]
    noise = descent_noise(landscape.value, landscape.valley_hessian, LEARNING_RATE, BATCH)
    settings = {
        "start": "the sharpest minimum",
        "learning_rate": LEARNING_RATE,
        "batch_size": BATCH,
        "time": TIME,
        "dt": STEP,
    }

    alike = float(noise(landscape.minima).diagonal(dim1=-2, dim2=-1).mean())

    def walks(paths: int, every: int, diffusion: Diffusion = noise) -> Orbit:
        return langevin(landscape.gradient, start.expand(paths, 2), diffusion, TIME, STEP, seed=seed, every=every)

    def census() -> pd.DataFrame:
        found, control = (landscape.census(walks(count, last, D).z[:, -1]) for D in (noise, alike))
        return found.assign(share_of_even_noise=control["share"], paths=count).reset_index()

    count = PATHS[request.quick]
    last = round(TIME / STEP)
    table = request.store.table("census", {**settings, "paths": count, "control": alike}, census)
    shown = request.store.orbit("descent", {**settings, "paths": SHOWN}, lambda: walks(SHOWN, EVERY))
    figure, ax = plt.subplots(figsize=(6.2, 4.6), layout="constrained")
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    plotting.noisy_descent(landscape.value, shown, minima=landscape.minima, ax=ax)
    return Drawn(figure, table, {**settings, "paths": count})
