"""Optimizers of stacked weights, as differentiable functions: they train ensembles, and gradients can pass through them.

Each works element by element, so it treats each member of a stack ``(R, P)`` as torch.optim treats a single network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from systems import UnknownNameError

State = tuple[Tensor, ...]
Count = int | Tensor  # number of the step, from 1; one for all networks, or (R, 1)


@dataclass(frozen=True)
class Optimizer:
    """An optimizer, which changes the weights by minus the learning rate times a direction.

    Attributes
    ----------
    name : str
        Name of the optimizer.
    start : callable
        Returns the initial state for given weights.
    direction : callable
        Returns the direction and the new state, given the gradient, the state and the number of the step, from 1.
    """

    name: str
    start: Callable[[Tensor], State]
    direction: Callable[[Tensor, State, Count], tuple[Tensor, State]]

    def step(
        self, weights: Tensor, gradient: Tensor, state: State, learning_rate: Tensor | float, count: Count
    ) -> tuple[Tensor, State]:
        """Return the weights and the state after step number ``count``; the learning rate is a number or ``(R, 1)``."""
        direction, state = self.direction(gradient, state, count)
        return weights - learning_rate * direction, state


def root(x: Tensor) -> Tensor:
    """Return the square root, with derivative 0 at 0 so that weights without a gradient have a second-order gradient of 0."""
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
    """Return 1 - decay^count in double precision, because single precision leaves few digits in the first steps."""
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
    """Return the optimizer of that name, with torch's defaults; an unknown name raises UnknownNameError."""
    if name not in OPTIMIZERS:
        raise UnknownNameError.of("no optimizer", name, OPTIMIZERS)
    return OPTIMIZERS[name]


def for_torch(name: str, parameters: list[torch.nn.Parameter], learning_rate: float) -> torch.optim.Optimizer:
    """Return the equivalent torch.optim optimizer for one network."""
    find(name)
    if name == "adam":
        return torch.optim.Adam(parameters, lr=learning_rate)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=learning_rate)
    return torch.optim.SGD(parameters, lr=learning_rate, momentum=0.9 if name == "momentum" else 0.0)


def clipped(gradient: Tensor, limit: Tensor | float) -> Tensor:
    """Return the gradients ``(R, P)``, each scaled down to the norm ``limit`` if it is longer."""
    norm = root(gradient.square().sum(-1, keepdim=True))
    return gradient * torch.clamp(limit / (norm + 1e-6), max=1.0)
