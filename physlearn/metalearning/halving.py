"""Successive halving: many candidates train a few small networks for a short time, the best of them more and longer.

References
----------
K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS 2016.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metalearning.pool import Pool
from physlearn.metalearning.search_settings import SearchSettings
from physlearn.metalearning.trials import Trials

Members = tuple[int, ...]
"""A combination of functions, by their indices in the pool."""


@dataclass(frozen=True)
class Candidate:
    """Activations with their name, the best learning rate so far, and the mean log held-out loss at that rate."""

    name: str
    values: Float[Tensor, "types points"]
    rate: float
    score: float = math.inf
    named: bool = False  # whether it consists of named functions


AT_LEAST = 4  # candidates of every rung after the first


@dataclass(frozen=True)
class Rung:
    """What every candidate of a rung gets, relative to a full trial, and the share of the candidates that goes on."""

    steps: float
    networks: float
    kept: float

    def trial(self, settings: SearchSettings) -> tuple[int, int]:
        """Return the number of steps, and of networks, with which a candidate is tried at each learning rate."""
        return max(1, round(self.steps * settings.inner_steps)), max(2, round(self.networks * settings.networks))

    def count(self, candidates: int) -> int:
        """Return how many candidates go on."""
        return max(AT_LEAST, round(self.kept * candidates))


SCREENING = (Rung(1 / 3, 1 / 8, 1 / 4), Rung(1, 1 / 4, 1 / 5), Rung(1, 1, 1))
FACTORS = (0.5, 1.0, 2.0)  # of the best rate so far, in the last rung


def halve(
    trials: Trials, pool: Pool, members: Sequence[Members], watch: Callable[[Candidate], object] = lambda best: None
) -> list[Candidate]:
    """Return the candidates of the last rung, the best first. The best combination of named functions reaches it in any case.

    Parameters
    ----------
    trials
        Where candidates are scored.
    pool
        The functions.
    members
        The candidates of the first rung.
    watch : callable
        Receives the best candidate of each rung.
    """
    settings = trials.settings
    each = [Candidate(pool.name(own), pool.values[list(own)], 0.0, named=pool.named(own)) for own in members]
    for k, rung in enumerate(SCREENING):
        last = k == len(SCREENING) - 1
        each = best_rates(trials, each, FACTORS if last else None, *rung.trial(settings))
        watch(each[0])
        each = best(each, rung.count(len(each)))
    return each


def best(candidates: Sequence[Candidate], count: int) -> list[Candidate]:
    """Return the first candidates, and behind them the first combination of named functions, if none of them is one."""
    first = list(candidates[:count])
    return first if any(one.named for one in first) else first + [one for one in candidates if one.named][:1]


def best_rates(
    trials: Trials, candidates: Sequence[Candidate], factors: Sequence[float] | None, steps: int, networks: int
) -> list[Candidate]:
    """Score candidates at several learning rates, and return each at its best one, the best candidate first.

    The rates are multiples of each candidate's own, or, without ``factors``, those of the settings.
    """
    rates = [
        trials.settings.learning_rates if factors is None else [factor * one.rate for factor in factors] for one in candidates
    ]
    values = torch.stack([one.values for one, own in zip(candidates, rates, strict=True) for _ in own])
    scores = trials.score(values, [rate for own in rates for rate in own], steps, networks).tolist()
    found = []
    for one, own in zip(candidates, rates, strict=True):
        mine, scores = scores[: len(own)], scores[len(own) :]
        k = min(range(len(own)), key=mine.__getitem__)
        found.append(replace(one, rate=own[k], score=mine[k]))
    return sorted(found, key=lambda one: one.score)
