"""Small inner loops in float64, and what they do in plain torch."""

import copy
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch

from physlearn import tasks
from physlearn.activations import Activation
from physlearn.metalearning import MetaLearning
from physlearn.metalearning.gradient import Problem
from physlearn.metalearning.inner import InnerLoop, draw_batches
from physlearn.metalearning.neurons import Neurons, SplineGrid
from physlearn.models.network import Network
from physlearn.threads import suited_to
from physlearn.training import optimizers

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread():
    """Small work on a busy machine waits for every thread that it is given."""
    with suited_to(1):
        yield


@pytest.fixture(scope="session")
def small():
    """The task of a name with as little data as it takes."""
    made = {}

    def make(name):
        if name not in made:
            made[name] = tasks.get(name, samples=50) if name == "mnist1d" else tasks.get(name, orbits=5)
        return made[name]

    return make


@pytest.fixture(scope="session")
def task():
    return replace(tasks.get("van-der-pol", orbits=5), hidden=(8,))


@pytest.fixture(scope="session")
def settings():
    """Of meta-learning that takes no time."""
    return {"variant": "unrolled", "outer_steps": 6, "inner_steps": 4, "networks": 2, "width": 4, "points": 41,
            "batch_size": 16, "pairs": 2, "smoothing": 2, "progress": False}  # fmt: skip


class BySpline(Activation):
    """Several types of neurons from the coefficients of their splines, by torch's own operations."""

    name = "by spline"

    def __init__(self, coefficients, grid):
        super().__init__()
        self.coefficients, self.grid = coefficients, grid

    def _polynomials(self, x):
        types, cells, _ = self.coefficients.shape
        neurons = x.shape[-1]
        sizes = [neurons // types + (k < neurons % types) for k in range(types)]
        kinds = torch.tensor([k for k, size in enumerate(sizes) for _ in range(size)])
        s = (x - self.grid.start) / self.grid.step
        cell = s.detach().floor().clamp(0, cells - 1)
        return s - cell, self.coefficients[kinds.expand(x.shape), cell.long()].unbind(-1)

    def value(self, x):
        u, (a, b, c, d) = self._polynomials(x)
        return a + b * u + c * u**2 + d * u**3

    def first(self, x):
        u, (_, b, c, d) = self._polynomials(x)
        return (b + 2 * c * u + 3 * d * u**2) / self.grid.step

    def second(self, x):
        u, (_, _, c, d) = self._polynomials(x)
        return (2 * c + 6 * d * u) / self.grid.step**2


TORCH = {
    "sgd": lambda p, lr: torch.optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "rmsprop": lambda p, lr: torch.optim.RMSprop(p, lr=lr),
    "adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
}


@dataclass
class Case:
    """A problem, a direction in which its curves may be changed, and the same training by torch.optim."""

    problem: Problem
    model: Any
    direction: torch.Tensor
    rate: float

    def run(self, s, training, trying, rates=None):
        """The terms of network s at each step. training, trying: the curves to train and to evaluate with at each."""
        p, model = self.problem, copy.deepcopy(self.model)
        with torch.no_grad():
            flat = p.start.weights[s]
            for parameter, part in zip(model.parameters(), flat.split([q.numel() for q in model.parameters()]), strict=True):
                parameter.copy_(part.view_as(parameter))
        optimizer = TORCH[p.inner.optimizer.name](list(model.parameters()), self.rate)
        pairs, terms = p.inner.pairs, []

        def loss(curves, data, rows):
            for part in model.modules():
                if isinstance(part, Network):
                    part.activation = BySpline(curves, p.inner.grid)
            if data.target.is_floating_point():
                return (model(data.z[rows]) - data.rate[rows]).square().mean()
            return torch.nn.functional.cross_entropy(model(data.z[rows]), data.target[rows])

        for t in range(p.steps + 1):
            rows = p.batches[s, min(t, p.steps - 1)]
            tried = (pairs, rows) if p.held_out is None else (p.held_out, p.held_out_batches[s, t])
            value = loss(trying[t], *tried).detach()
            terms.append(p.counted[t] * (value.log() if p.logarithm else value))
            if t < p.steps:
                optimizer.param_groups[0]["lr"] = self.rate if rates is None else rates[t]
                optimizer.zero_grad()
                loss(training[t], pairs, rows).backward()
                optimizer.step()
        return torch.stack(terms), torch.cat([q.detach().flatten() for q in model.parameters()])


@pytest.fixture(scope="session")
def case(small):
    def make(name="van-der-pol", optimizer="adam", steps=5, hidden=(5,), networks=2, counted=None, held_out=False, **options):
        task = replace(small(name), hidden=hidden, dtype=torch.float64)
        settings = MetaLearning(types=2, points=31, width=5, gain=3.0)
        grid = SplineGrid(settings.points, settings.interval, torch.float64, CPU)
        pairs, other = task.pairs("meta-training"), task.pairs("meta-validation")
        model = task.network("sine")
        model.standardize(pairs.z, pairs.target)
        inner = InnerLoop(model, pairs, grid.grid, optimizers.find(optimizer), "mean")
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            curves = [Neurons(settings, k, torch.float64, CPU).curves(grid.x) for k in range(networks)]
        direction = torch.randn(networks, 2, settings.points, generator=generator, dtype=torch.float64)
        rate = 1e-2
        problem = Problem(
            inner=inner,
            start=inner.start(
                inner.layout.draw(networks, generator, torch.float64), torch.full((networks, 1), rate, dtype=torch.float64)
            ),
            curves=grid.coefficients(torch.stack(curves)),
            batches=draw_batches(len(pairs), networks, steps, 12, generator),
            counted=torch.full((steps + 1,), 1 / steps, dtype=torch.float64) if counted is None else counted,
            held_out=other if held_out else None,
            held_out_batches=draw_batches(len(other), networks, steps + 1, 12, generator) if held_out else None,
            **options,
        )
        return Case(problem, model, grid.coefficients(direction), rate)

    return make
