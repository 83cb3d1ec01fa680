"""The tasks of Greydanus, Dzamba and Yosinski: their networks and ours, their published numbers beside both.

``physlearn bench --out DIR`` trains everything and prints the table; a run that was stopped goes on where it was. The
definitions are those of the paper's code: losses are means over samples *and* components of the squared error of dz/dt, in
training after the last step and over all samples; the energy MSE is the mean over orbits and times of the squared difference
between the true energies of the rolled-out states and of the true ones.

Source: Hamiltonian Neural Networks, NeurIPS 2019 (arXiv:1906.01563).
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from physlearn import models, tasks
from physlearn.forecasting.report import writable
from physlearn.jobs.lock import alone_in
from physlearn.models import HamiltonianNetwork, Model, VectorFieldNetwork
from physlearn.tasks import Task
from physlearn.tasks.greydanus import FOLDER, recorded
from physlearn.threads import suited_to
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import rate_error
from systems import InputError, IntegrationError, Orbit
from systems.atomic import atomically
from systems.reference.solvers import solve
from systems.system import symplectic_gradient

WIDTHS = (200, 200)  # of the published networks
RATE = 1e-3  # of their Adam
MEASURES = ("train_loss", "test_loss", "energy_mse")
TOLERANCE = 1e-9  # of the rollouts
QUICK = 20  # times fewer steps
AS_PUBLISHED = ", as published"  # what follows the name of a network that is built and trained as Greydanus et al. did

Value = tuple[float, float]  # a published number and what is behind its +-


@dataclass(frozen=True)
class Benchmark:
    """What is trained on a task, how long, and what was published.

    steps: gradient steps of every network. batch: samples of a step (None: all). weight_decay: of the published Adam.
    own: the models of ours that are trained beside them. published: the measures of the baseline and the Hamiltonian network.
    settings: of the task. simulated: the true energy gives the true field.
    """

    task: str
    steps: int
    batch: int | None
    weight_decay: float
    own: tuple[str, ...]
    published: Mapping[str, tuple[Value, Value, Value]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = True


BENCHMARKS = {
    "spring": Benchmark(
        "spring",
        2_000,
        None,
        1e-4,
        ("hnn", "hnn-separable"),
        {
            "nn": ((3.7134e-2, 1.9143e-3), (3.6656e-2, 1.8652e-3), (1.7077e-1, 2.06e-2)),
            "hnn": ((3.6933e-2, 1.9128e-3), (3.5928e-2, 1.8328e-3), (3.8416e-4, 6.53e-5)),
        },
    ),
    "pendulum": Benchmark(
        "pendulum",
        2_000,
        None,
        1e-4,
        ("hnn", "hnn-separable"),
        {
            "nn": ((3.2606e-2, 1.7434e-3), (3.5273e-2, 1.7970e-3), (4.1519e-2, 9.62e-3)),
            "hnn": ((3.2787e-2, 1.7567e-3), (3.5586e-2, 1.8178e-3), (2.4852e-2, 5.42e-3)),
        },
    ),
    "real-pendulum": Benchmark(
        "real-pendulum",
        2_000,
        None,
        1e-5,
        ("hnn", "hnn-mechanical"),
        {
            "nn": ((2.7455e-3, 2.0735e-4), (2.1864e-3, 3.3296e-4), (3.8564e-1, 6.92e-2)),
            "hnn": ((9.2376e-3, 5.0263e-4), (5.9584e-3, 6.1798e-4), (1.4477e-2, 4.65e-3)),
        },
        simulated=False,
    ),
    "real-pendulum-derived": Benchmark(
        "real-pendulum", 2_000, None, 1e-5, ("hnn", "hnn-mechanical"), {}, {"rates": "derived"}, simulated=False
    ),
    "two-body": Benchmark(
        "two-body",
        10_000,
        200,
        0.0,
        ("hnn", "hnn-mechanical"),
        {
            "nn": ((3.2682e-5, 1.2022e-6), (2.9575e-5, 8.8900e-7), (6.3276e-2, 3.36e-2)),
            "hnn": ((2.9959e-6, 6.5500e-8), (2.8218e-6, 4.2020e-8), (3.8751e-5, 5.04e-6)),
        },
    ),
    "three-body": Benchmark(
        "three-body",
        10_000,
        600,
        1e-4,
        ("hnn", "hnn-mechanical"),
        {
            "nn": ((9.5573e-2, 6.5610e-2), (3.8000e-1, 4.1612e-1), (1.0906e2, 7.74e1)),
            "hnn": ((8.0346e-2, 2.1470e-2), (4.8809e-1, 4.7745e-1), (4.1926e-2, 3.39e-2)),
        },
    ),
}


def run(
    out: Path,
    names: Sequence[str] = tuple(BENCHMARKS),
    seeds: int = 5,
    *,
    quick: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Train and measure what is not yet in ``out``; gives a row a benchmark, variant and seed, which are kept as they come.

    names: of the benchmarks. seeds: how many; each makes its own orbits, noise, weights and batches (a recording is what it
    is). quick: a twentieth of the steps, and few orbits, in a file of its own: to see that everything works.

    Writes ``benchmarks.csv`` and ``benchmarks.md``. Raises InputError for unknown names, no seeds, a recording that is
    missing, or a folder in which another run is at work.
    """
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise InputError(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if seeds < 1:
        raise InputError(f"the number of seeds must be at least 1, not {seeds}")
    stem = "quick" if quick else "benchmarks"
    with alone_in(writable(out)):
        return _go_on(out / f"{stem}.csv", names, seeds, quick, progress)


def _go_on(file: Path, names: Sequence[str], seeds: int, quick: bool, progress: bool) -> pd.DataFrame:
    """Measure what the file does not hold yet."""
    rows: list[dict[Any, Any]] = pd.read_csv(file).to_dict("records") if file.is_file() else []
    done = {(row["benchmark"], row["variant"], row["seed"]) for row in rows}
    wanted = [(name, variant, seed) for seed in range(seeds) for name in names for variant in variants(BENCHMARKS[name])]
    left = [key for key in wanted if key not in done]
    bar = tqdm(total=len(wanted), initial=len(wanted) - len(left), disable=not progress, unit="network")
    with bar:
        for seed in range(seeds):
            for name in names:
                ours = [variant for key, variant, of in left if (key, of) == (name, seed)]
                if not ours:
                    continue
                bar.set_description(f"{name}, orbits")
                problem = Problem.of(BENCHMARKS[name], seed, quick)
                for variant in ours:
                    bar.set_description(f"{name}, {variant}")
                    start = time.perf_counter()
                    measured = problem.measure(variant, seed)
                    seconds = round(time.perf_counter() - start, 1)
                    rows.append({"benchmark": name, "variant": variant, "seed": seed, **measured, "seconds": seconds})
                    with atomically(file) as temporary:
                        pd.DataFrame(rows).to_csv(temporary, index=False)
                    bar.update()
    table = pd.DataFrame(rows)
    with atomically(file.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(table) + "\n")
    return table


def available() -> list[str]:
    """The benchmarks whose data is at hand: all, or all but those of the recording."""
    there = bool(os.environ.get(FOLDER))
    return [name for name, benchmark in BENCHMARKS.items() if benchmark.simulated or there]


def variants(benchmark: Benchmark) -> list[str]:
    """What is measured: the true field where it is known, the networks as published, and ours."""
    exact = ["exact"] if benchmark.simulated else []
    return [*exact, f"nn{AS_PUBLISHED}", f"hnn{AS_PUBLISHED}", *benchmark.own]


@dataclass(frozen=True)
class Problem:
    """The data of a benchmark and one seed. learned, test: pairs in single precision. truth, energy: of the rollouts."""

    benchmark: Benchmark
    steps: int
    learned: Pairs
    test: Pairs
    truth: Orbit
    energy: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, benchmark: Benchmark, seed: int, quick: bool = False) -> Problem:
        """Simulated, or read from the recording."""
        task = _task(benchmark, seed, quick)
        forecast = task.forecast
        assert forecast.energy is not None  # all these tasks have one
        if benchmark.simulated:
            learned, test = task.pairs("training"), task.pairs("test")
        else:
            learned, test = (Pairs.of(part).to(torch.device("cpu"), torch.float32) for part in recorded(**benchmark.settings))
        steps = benchmark.steps // QUICK if quick else benchmark.steps
        return cls(benchmark, steps, learned, test, forecast.truth, forecast.energy)

    def measure(self, variant: str, seed: int) -> dict[str, float]:
        """Train what the variant says, and give its measures."""
        if variant == "exact":
            return self.score(lambda z: symplectic_gradient(self.energy, z))
        dim = self.learned.z.shape[1]
        if variant.endswith(AS_PUBLISHED):
            model = published_network(variant.removesuffix(AS_PUBLISHED), dim, seed)
            train_as_published(model, self.learned, self.benchmark, self.steps, seed)
        else:
            model = models.build(variant, dim, seed=seed)
            batch = self.benchmark.batch or len(self.learned)
            epochs = max(1, round(self.steps / math.ceil(len(self.learned) / batch)))
            train_ensemble([model], self.learned, None, Training(epochs, batch), [seed], progress=False)
        return self.score(copy.deepcopy(model).double())

    def score(self, field: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """The losses of dz/dt = field(z), and its energy MSE: infinite where an orbit cannot be followed."""
        with torch.no_grad():
            losses = [float(rate_error(field(pairs.z.double()), pairs.rate.double())) for pairs in (self.learned, self.test)]
            try:
                t = self.truth.t - self.truth.t[0]
                z = solve(lambda _, z: field(z), self.truth.z[:, 0], t, rtol=TOLERANCE, atol=TOLERANCE)
                energy = float((self.energy(z) - self.energy(self.truth.z)).square().mean())
            except IntegrationError:
                energy = math.inf
        return dict(zip(MEASURES, (*losses, energy), strict=True))


def published_network(kind: str, dim: int, seed: int) -> Model:
    """A network as Greydanus et al. had it: two hidden layers of 200 tanh, orthogonal weights, nothing standardised."""
    model = models.build(kind, dim, WIDTHS, "tanh", seed)
    assert isinstance(model, VectorFieldNetwork | HamiltonianNetwork)
    network = model.network if isinstance(model, VectorFieldNetwork) else model.energy.network
    generator = torch.Generator().manual_seed(seed)
    for layer in network.layers:
        nn.init.orthogonal_(layer.weight, generator=generator)  # type: ignore[arg-type]
    network.layers[-1].bias = None  # type: ignore[assignment]
    return model


def train_as_published(model: Model, pairs: Pairs, benchmark: Benchmark, steps: int, seed: int) -> None:
    """Adam at a constant rate, with weight decay in the gradient, over batches drawn anew at each step; the last weights."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=benchmark.weight_decay)
    shuffle = torch.Generator().manual_seed(seed)
    batch = benchmark.batch
    with suited_to((batch or len(pairs)) * max(WIDTHS)):
        for _ in range(steps):
            chosen = slice(None) if batch is None else torch.randperm(len(pairs), generator=shuffle)[:batch]
            optimizer.zero_grad()
            rate_error(model(pairs.z[chosen]), pairs.rate[chosen]).backward()
            optimizer.step()


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error over the seeds, a row a benchmark and variant, and the published numbers among them.

    Columns ``n`` (seeds) and, for each measure, itself and ``.._error``. What was published has no ``n``: its errors are not
    over seeds, but over the samples (losses) and over five groups of orbits or times (energy MSE) of one network.
    """
    rows = []
    for name, benchmark in BENCHMARKS.items():
        for model, values in benchmark.published.items():
            row: dict[str, Any] = {"benchmark": name, "variant": f"{model}, the paper's numbers", "n": 0}
            for measure, (value, error) in zip(MEASURES, values, strict=True):
                row |= {measure: value, f"{measure}_error": error}
            rows.append(row)
        for variant in variants(benchmark):
            found = table[(table["benchmark"] == name) & (table["variant"] == variant)]
            if len(found):
                row = {"benchmark": name, "variant": variant, "n": len(found)}
                for measure in MEASURES:
                    row |= {measure: found[measure].mean(), f"{measure}_error": found[measure].sem()}
                rows.append(row)
    kept = set(table["benchmark"])
    return pd.DataFrame([row for row in rows if row["benchmark"] in kept]).set_index(["benchmark", "variant"])


def markdown(table: pd.DataFrame) -> str:
    """The summary as a table of Markdown."""
    lines = ["| task | network | seeds | train loss | test loss | energy MSE |", "|---|---|---|---|---|---|"]
    for row in summary(table).reset_index().to_dict("records"):
        cells = " | ".join(_plus_minus(row[measure], row[f"{measure}_error"]) for measure in MEASURES)
        lines.append(f"| {row['benchmark']} | {row['variant']} | {row['n'] or ''} | {cells} |".replace("|  |", "| |"))
    return "\n".join(lines)


def _task(benchmark: Benchmark, seed: int, quick: bool) -> Task:
    if not benchmark.simulated:
        return tasks.get(benchmark.task, **benchmark.settings)
    if not quick:
        return tasks.get(benchmark.task, seed=seed, **benchmark.settings)
    return tasks.get(benchmark.task, seed=seed, orbits={"two-body": 40, "three-body": 40}.get(benchmark.task, 25))


def _plus_minus(value: float, error: float) -> str:
    return f"{value:.2e}" + (f" ± {error:.1e}" if math.isfinite(error) else "")
