"""Optimisers of stacked weights, as differentiable functions: they train ensembles, and let gradients pass through training.

Each works element by element, so on a stack ``(R, P)`` it does to each member what torch.optim does to one network alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from systems import UnknownNameError

State = tuple[Tensor, ...]
Count = int | Tensor  # of steps, from 1; one for all, or (R, 1)


@dataclass(frozen=True)
class Optimizer:
    """start: the weights to the state. step: (gradient, state, count from 1) to the direction, and the new state.

    The weights then change by minus the learning rate times the direction.
    """

    name: str
    start: Callable[[Tensor], State]
    direction: Callable[[Tensor, State, Count], tuple[Tensor, State]]

    def step(
        self, weights: Tensor, gradient: Tensor, state: State, learning_rate: Tensor | float, count: Count
    ) -> tuple[Tensor, State]:
        """The weights and the state after step number ``count``. learning_rate: a number, or ``(R, 1)``."""
        direction, state = self.direction(gradient, state, count)
        return weights - learning_rate * direction, state


def root(x: Tensor) -> Tensor:
    """The square root with the derivative 0 at 0: weights that get no gradient have none of second order either."""
    if not torch.is_grad_enabled():
        return x.sqrt()
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1.0).sqrt(), 0.0)


def _momentum(gradient: Tensor, state: State, count: Count) -> tuple[Tensor, State]:
    velocity = 0.9 * state[0] + gradient
    return velocity, (velocity,)


def _rmsprop(gradient: Tensor, state: State, count: Count) -> tuple[Tensor, State]:
    square = 0.99 * state[0] + 0.01 * gradient.square()
    return gradient / (root(square) + 1e-8), (square,)


def _adam(gradient: Tensor, state: State, count: Count) -> tuple[Tensor, State]:
    mean = 0.9 * state[0] + 0.1 * gradient
    square = 0.999 * state[1] + 0.001 * gradient.square()
    scaled = root(square) / _missing(0.999, count, gradient) ** 0.5 + 1e-8
    return mean / _missing(0.9, count, gradient) / scaled, (mean, square)


def _missing(decay: float, count: Count, like: Tensor) -> float | Tensor:
    """1 - decay^count: small at first, and in single precision with few digits."""
    if isinstance(count, int):
        return 1 - decay**count
    return (1 - decay ** count.double()).to(like.dtype)


OPTIMIZERS = {
    optimizer.name: optimizer
    for optimizer in (
        Optimizer("sgd", lambda weights: (), lambda gradient, state, count: (gradient, ())),
        Optimizer("momentum", lambda weights: (torch.zeros_like(weights),), _momentum),
        Optimizer("rmsprop", lambda weights: (torch.zeros_like(weights),), _rmsprop),
        Optimizer("adam", lambda weights: (torch.zeros_like(weights), torch.zeros_like(weights)), _adam),
    )
}


def find(name: str) -> Optimizer:
    """The optimiser of that name, with torch's defaults. Raises UnknownNameError, listing the names there are."""
    if name not in OPTIMIZERS:
        raise UnknownNameError(f"no optimizer {name!r}; there are {', '.join(OPTIMIZERS)}")
    return OPTIMIZERS[name]


def for_torch(name: str, parameters: list[torch.nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """The same as an optimiser of torch, for one network."""
    find(name)
    if name == "adam":
        return torch.optim.Adam(parameters, lr=learning_rate)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=learning_rate)
    return torch.optim.SGD(parameters, lr=learning_rate, momentum=0.9 if name == "momentum" else 0.0)


def clipped(gradient: Tensor, limit: Tensor | float) -> Tensor:
    """Each network's gradient ``(R, P)``, scaled down to the norm ``limit`` where it is longer."""
    norm = root(gradient.square().sum(-1, keepdim=True))
    return gradient * torch.clamp(limit / (norm + 1e-6), max=1.0)
