"""The quasi-Newton method L-BFGS, by torch, for networks of any kind."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

HISTORY = 50  # pairs of steps and gradients from which the method estimates the curvature
AT_ONCE = 20  # steps between two evaluations of the loss
SLOW = 1e-4  # relative decrease of the loss within these steps below which the method ends


def descend(
    terms: Callable[[], Iterable[Float[Tensor, ""]]], parameters: Sequence[nn.Parameter], steps: int
) -> Iterator[float]:
    """Minimise a loss by L-BFGS, and yield it after every 20 steps.

    Parameters
    ----------
    terms
        Returns the terms of the loss, each of which is differentiated by itself to save memory.
    parameters
        Parameters, which change in place.
    steps
        Largest number of steps; rounded up to a multiple of 20.

    Yields
    ------
    float
        The loss.
    """
    settings: dict[str, Any] = {"line_search_fn": "strong_wolfe", "tolerance_grad": 0, "tolerance_change": 0}
    optimizer = torch.optim.LBFGS(list(parameters), max_iter=AT_ONCE, history_size=HISTORY, **settings)

    def closure() -> float:
        optimizer.zero_grad()
        total = 0.0
        for term in terms():
            term.backward()
            total += float(term.detach())
        return total

    before = math.inf
    for _ in range(math.ceil(steps / AT_ONCE)):
        optimizer.step(closure)
        with torch.no_grad():
            now = float(sum(terms()))
        yield now
        if not now < before * (1 - SLOW):
            return
        before = now
