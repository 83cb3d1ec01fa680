"""The tasks of Greydanus, Dzamba and Yosinski, with their networks, their published numbers, and physlearn's networks.

``physlearn bench --out DIR`` trains everything and prints the table. A run that was stopped resumes. The definitions are those
of the paper's code: losses are means, over samples and components, of the squared error of dz/dt. The training loss is taken
after the last step, over all samples. The energy MSE is the mean, over orbits and times, of the squared difference between the
true energies of the rolled-out states and of the true states.

References
----------
S. Greydanus, M. Dzamba and J. Yosinski, "Hamiltonian Neural Networks", NeurIPS 2019, arXiv:1906.01563.
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from physlearn import models, tasks
from physlearn.forecasting.environment import environment
from physlearn.forecasting.files import writable
from physlearn.jobs.lock import alone_in
from physlearn.jobs.store import Store, Values, name_of
from physlearn.models import HamiltonianNetwork, Model, VectorFieldNetwork
from physlearn.studies.hamiltonian_networks.published import BENCHMARKS, Benchmark
from physlearn.tasks import Task
from physlearn.tasks.greydanus import FOLDER, recorded
from physlearn.threads import suited_to
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import rate_error
from systems import InputError, IntegrationError, Orbit
from systems.atomic import atomically
from systems.hamiltonian_system import symplectic_gradient
from systems.reference.solvers import solve

WIDTHS = (200, 200)  # hidden layers of the published networks
RATE = 1e-3  # learning rate of their Adam optimizer
MEASURES = ("train_loss", "test_loss", "energy_mse")
TOLERANCE = 1e-9  # of the rollouts
QUICK = 20  # factor by which a quick run has fewer steps
AS_PUBLISHED = ", as published"  # suffix for networks built and trained as by Greydanus et al.


def run(
    out: Path,
    names: Sequence[str] = tuple(BENCHMARKS),
    seeds: int = 5,
    *,
    quick: bool = False,
    progress: bool = True,
) -> pd.DataFrame:
    """Train and measure what ``out`` does not yet contain, and return one row per benchmark, variant and seed.

    Each row is stored in the folder ``benchmarks-rows`` as soon as it is measured, and a run that was stopped resumes from
    there. All rows are written to ``benchmarks.csv``, and a summary to ``benchmarks.md``. Before there is such a folder, the
    rows of an existing ``benchmarks.csv``, as version 0.1.0 wrote it, are stored first.

    Parameters
    ----------
    out : Path
        The folder.
    names : sequence of str
        Names of the benchmarks; by default, all.
    seeds : int, default 5
        Number of seeds. Each has its own orbits, noise, initial weights and batches, except that a recording is always the
        same.
    quick : bool, default False
        Whether to use a twentieth of the steps and few orbits, in a separate file, to check that everything works.
    progress : bool, default True
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        The measures of every network.

    Raises
    ------
    InputError
        If a name is unknown, there are no seeds, a recording is missing, or another run is working in the folder.
    """
    if unknown := [name for name in names if name not in BENCHMARKS]:
        raise InputError(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if seeds < 1:
        raise InputError(f"the number of seeds must be at least 1, not {seeds}")
    stem = "quick" if quick else "benchmarks"
    with alone_in(writable(out)):
        return _go_on(out / f"{stem}.csv", names, seeds, quick, progress)


def _go_on(file: Path, names: Sequence[str], seeds: int, quick: bool, progress: bool) -> pd.DataFrame:
    """Measure what the store does not contain yet, and write the tables."""
    store = Store(file.with_name(f"{file.stem}-rows"), Values())
    if file.is_file() and not store.folder.exists():
        _take_over(file, store, quick)
    wanted = [(name, variant, seed) for seed in range(seeds) for name in names for variant in variants(BENCHMARKS[name])]
    left = [key for key in wanted if not store.has(_name(*key, quick))]
    with tqdm(total=len(wanted), initial=len(wanted) - len(left), disable=not progress, unit="network") as bar:
        for (name, seed), keys in groupby(left, lambda key: (key[0], key[2])):
            bar.set_description(f"{name}, simulating orbits")
            problem = Problem.of(BENCHMARKS[name], seed, quick)
            for _, variant, _ in keys:
                bar.set_description(f"{name}, {variant}")
                start = time.perf_counter()
                row = {"benchmark": name, "variant": variant, "seed": seed, **problem.measure(variant, seed)}
                row["seconds"] = round(time.perf_counter() - start, 1)
                store.write(_name(name, variant, seed, quick), row, environment())
                _write(file, _table(store, quick))
                bar.update()
    table = _table(store, quick)
    _write(file, table)
    with atomically(file.with_suffix(".md")) as temporary:
        temporary.write_text(markdown(table) + "\n")
    return table


def _take_over(file: Path, store: Store[dict[str, Any]], quick: bool) -> None:
    """Store the rows of a CSV file of version 0.1.0."""
    for record in pd.read_csv(file).to_dict("records"):
        row = {str(column): value for column, value in record.items()}
        if row["benchmark"] in BENCHMARKS:
            store.write(_name(row["benchmark"], row["variant"], row["seed"], quick), row, {"taken from": file.name})


def _name(name: str, variant: str, seed: int, quick: bool) -> str:
    """Return the name of a row in the store, with a digest of everything that determines it except the version of the code."""
    decisive = {"benchmark": asdict(BENCHMARKS[name]), "variant": variant, "seed": seed, "quick": quick}
    return name_of(decisive, f"{name}-{variant.removesuffix(AS_PUBLISHED)}-{seed}", ".json")


def _table(store: Store[dict[str, Any]], quick: bool) -> pd.DataFrame:
    """Return the stored rows of all benchmarks as they are defined now, in their order for each seed."""
    order = [(name, variant) for name, benchmark in BENCHMARKS.items() for variant in variants(benchmark)]
    found = {name: row for name in store.names("*.json") if (row := store.read(name)) is not None}
    seeds = sorted({row["seed"] for row in found.values()})
    names = [_name(*key, seed, quick) for seed in seeds for key in order]
    return pd.DataFrame([found[name] for name in names if name in found])


def _write(file: Path, table: pd.DataFrame) -> None:
    with atomically(file) as temporary:
        table.to_csv(temporary, index=False)


def available() -> list[str]:
    """Return the benchmarks whose data are available: all, or all except those of the recording."""
    there = bool(os.environ.get(FOLDER))
    return [name for name, benchmark in BENCHMARKS.items() if benchmark.simulated or there]


def variants(benchmark: Benchmark) -> list[str]:
    """Return what is measured: the true vector field if it is known, the networks as published, and physlearn's networks."""
    exact = ["exact"] if benchmark.simulated else []
    return [*exact, f"nn{AS_PUBLISHED}", f"hnn{AS_PUBLISHED}", *benchmark.own]


@dataclass(frozen=True)
class Problem:
    """The data of a benchmark for one seed: training and test pairs in single precision, and true orbits with their energy."""

    benchmark: Benchmark
    steps: int
    learned: Pairs
    test: Pairs
    truth: Orbit
    energy: Callable[[Tensor], Tensor]

    @classmethod
    def of(cls, benchmark: Benchmark, seed: int, quick: bool = False) -> Problem:
        """Simulate the data, or read them from the recording."""
        task = _task(benchmark, seed, quick)
        forecast = task.forecast
        assert forecast.energy is not None  # all these tasks have an energy
        if benchmark.simulated:
            learned, test = task.pairs("training"), task.pairs("test")
        else:
            learned, test = (Pairs.of(part).to(torch.device("cpu"), torch.float32) for part in recorded(**benchmark.settings))
        steps = benchmark.steps // QUICK if quick else benchmark.steps
        return cls(benchmark, steps, learned, test, forecast.truth, forecast.energy)

    def measure(self, variant: str, seed: int) -> dict[str, float]:
        """Train a variant and return its measures."""
        if variant == "exact":
            return self.score(lambda z: symplectic_gradient(self.energy, z))
        dim = self.learned.z.shape[1]
        if variant.endswith(AS_PUBLISHED):
            model = published_network(variant.removesuffix(AS_PUBLISHED), dim, seed)
            train_as_published(model, self.learned, self.benchmark, self.steps, seed)
        else:
            model = models.build(variant, dim, activation="sine", seed=seed)
            batch = self.benchmark.batch or len(self.learned)
            epochs = max(1, round(self.steps / math.ceil(len(self.learned) / batch)))
            train_ensemble([model], self.learned, None, Training(epochs, batch), [seed], progress=False)
        return self.score(copy.deepcopy(model).double())

    def score(self, field: Callable[[Tensor], Tensor]) -> dict[str, float]:
        """Return the losses of dz/dt = field(z) and its energy MSE, which is infinite if an orbit cannot be integrated."""
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
    """Return a network as in the paper: two hidden layers of 200 tanh neurons, orthogonal weights, no standardisation."""
    model = models.build(kind, dim, WIDTHS, "tanh", seed)
    assert isinstance(model, VectorFieldNetwork | HamiltonianNetwork)
    network = model.network if isinstance(model, VectorFieldNetwork) else model.energy.network
    generator = torch.Generator().manual_seed(seed)
    for layer in network.layers:
        nn.init.orthogonal_(layer.weight, generator=generator)  # type: ignore[arg-type]
    network.layers[-1].bias = None  # type: ignore[assignment]
    return model


def train_as_published(model: Model, pairs: Pairs, benchmark: Benchmark, steps: int, seed: int) -> None:
    """Train by Adam at a constant learning rate, with weight decay in the gradient, on a random batch per step.

    The weights after the last step are kept.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=benchmark.weight_decay)
    shuffle = torch.Generator().manual_seed(seed)
    batch = benchmark.batch
    with suited_to((batch or len(pairs)) * max(WIDTHS)):
        for _ in range(steps):
            chosen = slice(None) if batch is None else torch.randperm(len(pairs), generator=shuffle)[:batch]
            optimizer.zero_grad()
            rate_error(model(pairs.z[chosen]), pairs.rate[chosen]).backward()
            optimizer.step()


ERRORS = (
    "errors are standard errors over n seeds; the paper's numbers (n = 0) are those of one network, with errors over samples "
    "(losses) or over five groups of orbits or times (energy MSE)"
)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean and standard error over the seeds, with the published numbers, one row per benchmark and variant.

    The columns are ``n`` (the number of seeds) and, for each measure, its mean and ``.._error``. Published numbers have no
    seeds (``n`` is 0): their errors are over samples (losses) or over five groups of orbits or times (energy MSE) of one
    network.
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
    """Return the summary as a Markdown table."""
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
