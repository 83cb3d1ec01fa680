"""Polish activations by evolution: first stretch and scale them, then bend them.

Every candidate is judged after a full training at its own learning rate, which evolves with it.

References
----------
N. Hansen, "The CMA evolution strategy: a tutorial", arXiv:1604.00772.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations.table import Table
from physlearn.metalearning.halving import Candidate
from physlearn.metalearning.neurons import SPACING
from physlearn.metalearning.search_settings import SearchSettings
from physlearn.metalearning.trials import Trials

REACH = 6.0  # where the outermost bumps are
SIGMA = 0.15  # size of the first steps
POPULATION = 14
NETWORKS = 1 / 4  # of those that judge finalists
STRETCHED = 1 / 3  # share of the generations that stretch
RATE = 3.0  # the logarithm of the learning rate changes so much faster than that of the stretching
WORST = 1e3  # in place of infinite scores


def few(settings: SearchSettings) -> int:
    """Return the number of networks that judge a candidate while it evolves."""
    return max(2, round(NETWORKS * settings.networks))


def stretched(candidate: Candidate, interval: tuple[float, float], p: Float[np.ndarray, " n"]) -> Candidate:
    """Return f(s x) a for each type f, with s and a from the parameters, at a learning rate from the last parameter."""
    x = torch.linspace(*interval, candidate.values.shape[-1], dtype=torch.float64)
    scale, size = np.exp(p[:-1]).reshape(2, -1)
    tables = [Table(values.double(), interval) for values in candidate.values]
    values = torch.stack([float(a) * table.value(float(s) * x) for s, a, table in zip(scale, size, tables, strict=True)])
    return Candidate(candidate.name, values, candidate.rate * math.exp(RATE * p[-1]))


def bent(candidate: Candidate, interval: tuple[float, float], p: Float[np.ndarray, " n"]) -> Candidate:
    """Return the types plus bumps, whose heights are in units of the spread of the type near 0."""
    x = torch.linspace(*interval, candidate.values.shape[-1], dtype=torch.float64)
    shapes = (-((x - _centers().unsqueeze(1)) / SPACING).square() / 2).exp()
    heights = torch.from_numpy(p[:-1]).view(len(candidate.values), -1)
    spread = candidate.values[:, x.abs() < REACH / 2].double().std(1, keepdim=True)
    values = candidate.values + spread * (heights @ shapes)
    return Candidate(candidate.name, values, candidate.rate * math.exp(RATE * p[-1]))


def _centers() -> Float[Tensor, " bumps"]:
    half = int(REACH / SPACING)
    return SPACING * torch.arange(-half, half + 1, dtype=torch.float64)


Change = Callable[[Candidate, tuple[float, float], np.ndarray], Candidate]


def polish(
    trials: Trials, start: Candidate, generations: int, seed: int, watch: Callable[[Candidate], object] = lambda mean: None
) -> list[Candidate]:
    """Return the candidate after stretching, and after bending. Neither need be better than the start.

    Parameters
    ----------
    trials
        Where candidates are scored.
    start
        The candidate to polish.
    generations
        Number of generations of both stages together.
    seed
        Seed of the evolution.
    watch : callable
        Receives the mean of the population after each generation, with the mean score.
    """
    first = round(STRETCHED * generations)
    types = len(start.values)
    one = _evolved(trials, start, stretched, 2 * types + 1, first, seed, watch)
    two = _evolved(trials, one, bent, types * len(_centers()) + 1, generations - first, seed + 1, watch)
    return [replace(one, name=f"{start.name}, stretched"), replace(two, name=f"{start.name}, bent")]


def _evolved(
    trials: Trials,
    start: Candidate,
    change: Change,
    parameters: int,
    generations: int,
    seed: int,
    watch: Callable[[Candidate], object],
) -> Candidate:
    from cmaes import CMA  # slow to import

    settings = trials.settings
    cma = CMA(np.zeros(parameters), SIGMA, seed=seed, population_size=POPULATION)
    mean = start
    for _ in range(generations):
        asked = [cma.ask() for _ in range(POPULATION)]
        tried = [change(start, settings.interval, p) for p in asked]
        values, rates = torch.stack([one.values for one in tried]), [one.rate for one in tried]
        scores = trials.score(values, rates, settings.inner_steps, few(settings))
        cma.tell(list(zip(asked, scores.nan_to_num(posinf=WORST).tolist(), strict=True)))
        mean = change(start, settings.interval, cma.mean)
        watch(Candidate(mean.name, mean.values, mean.rate, float(scores.median())))
    return mean
