"""Figure 9: noise carries gradient descent from valley to valley."""

from __future__ import annotations

from functools import cache

import pandas as pd
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.interpolate import RectBivariateSpline
from torch import Tensor

from physlearn import plotting
from physlearn.analysis import Landscape, LossSlice, descent_noise, langevin
from physlearn.analysis.langevin import Diffusion
from physlearn.plotting.color_map import RAINBOW
from physlearn.studies.learned_diversity.figures import Drawn, Request, register
from physlearn.studies.learned_diversity.results import trained
from physlearn.tasks import Task
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import loss_of
from systems import Orbit

PATHS = {True: 200, False: 2000}  # number of realisations, by whether to be quick
SHOWN = 8  # number of paths that are drawn
EVERY = 20  # steps between two points of a drawn path
LEARNING_RATE, BATCH = 0.5, 10
TIME, STEP = 120.0, 2e-3
SLICE_RATE = 1e-3  # below 2 over the largest curvature, so that descent with this step is stable
START = 0.7  # relative to the window
SETTLED, FINE = 6.0, 0.05  # duration and time step, in relaxation times of the flatter and the sharper direction


@register("fig9")
def noisy_descent(request: Request) -> Drawn:
    """Draw realisations from one start in a random landscape, with the noise of stochastic gradient descent.

    The table has one row per minimum: its height, its sharpness, and the fraction of realisations that end in its valley. As a
    control, it has the same fraction for noise that is isotropic and uniform, with the same mean strength at the minima.
    """
    seed = request.results.seed
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
    table = request.results.table("census", {**settings, "paths": count, "control": alike}, census)
    shown = request.results.orbit("descent", {**settings, "paths": SHOWN}, lambda: walks(SHOWN, EVERY))
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 4.6), layout="constrained")
    plt.close(figure)  # removes it from pyplot; the caller keeps it
    plotting.noisy_descent(landscape.value, shown, minima=landscape.minima, ax=left, cmap=RAINBOW)
    left.set_title("a random landscape", fontsize="medium")
    _on_a_trained_network(request, right)
    right.set_title("the loss of a trained network, along its two sharpest directions", fontsize="medium")
    return Drawn(figure, table, {**settings, "paths": count})


def _on_a_trained_network(request: Request, ax: Axes) -> None:
    """Draw paths towards a minimum found by a network of figure 5, in the plane of the largest curvature of its loss."""
    task = request.task("van-der-pol")
    parts = trained(task, "training", "validation", "test")
    settings = {**parts, "rate": SLICE_RATE, "batch": BATCH, "paths": SHOWN, "start": START, "time": (SETTLED, FINE)}
    plane_of = cache(lambda: _slice(task, request.results.seed))

    def surface() -> pd.DataFrame:
        plane = plane_of()
        a, b = torch.cartesian_prod(*plane.axes).unbind(-1)
        return pd.DataFrame({"a": a, "b": b, "loss": plane.values.flatten()})

    def walks() -> Orbit:
        plane = plane_of()
        noise = descent_noise(plane.value, plane.hessian, SLICE_RATE, BATCH)
        curvature = plane.hessian.diagonal()
        start = START * torch.tensor(plane.reach, dtype=torch.float64) * torch.tensor([-1.0, 1.0])
        time, dt = SETTLED / float(curvature.min()), FINE / float(curvature.max())
        return langevin(plane.gradient, start.expand(SHOWN, 2), noise, time, dt, seed=request.results.seed)

    drawn = request.results.table("slice", parts, surface)
    paths = request.results.orbit("slice-descent", settings, walks)
    square = drawn.pivot(index="a", columns="b", values="loss")
    spline = RectBivariateSpline(square.index, square.columns, square)

    def potential(theta: Tensor) -> Tensor:
        return torch.from_numpy(spline.ev(*theta.T.numpy()))

    window = (float(drawn["a"].max()), float(drawn["b"].max()))
    plotting.noisy_descent(potential, paths, window=window, ax=ax, label=r"loss $\mathcal{L}$", cmap=RAINBOW)


def _slice(task: Task, seed: int) -> LossSlice:
    model = task.network("sine", seed)
    train_ensemble([model], task.pairs("training"), task.pairs("validation"), task.training, [seed], progress=False)
    pairs = task.pairs("test").to(torch.device("cpu"), torch.float64)
    return LossSlice(model.double(), lambda m: loss_of(m, m(pairs.z), pairs.target))
