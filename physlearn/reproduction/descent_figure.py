"""Figure 9: noise carries a descent from valley to valley."""

from __future__ import annotations

from matplotlib import pyplot as plt

from physlearn import plotting
from physlearn.analysis import Landscape, descent_noise, langevin
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

    The table has a row a minimum: its height, its sharpness, and the share of realisations that end in its valley.
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

    def walks(paths: int, every: int) -> Orbit:
        return langevin(landscape.gradient, start.expand(paths, 2), noise, TIME, STEP, seed=seed, every=every)

    count = PATHS[request.quick]
    last = round(TIME / STEP)
    table = request.store.table(
        "census", {**settings, "paths": count}, lambda: landscape.census(walks(count, last).z[:, -1]).reset_index()
    )
    shown = request.store.orbit("descent", {**settings, "paths": SHOWN}, lambda: walks(SHOWN, EVERY))
    figure, ax = plt.subplots(figsize=(6.2, 4.6), layout="constrained")
    plt.close(figure)  # pyplot forgets it; the caller keeps it
    plotting.noisy_descent(landscape.value, shown, minima=landscape.minima, ax=ax)
    return Drawn(figure, table, {**settings, "paths": count})
