"""The pool of functions in which a search looks: named functions, and random ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import named

DICTIONARY = ("sine", "tanh", "sigmoid", "softplus", "silu", "gelu", "gaussian", "identity", "square", "cube", "exp")
"""The named functions of every pool: smooth, so that Hamiltonian networks can train with them."""

LENGTHS, AMPLITUDES = (0.7, 1.0, 1.5, 2.5), (1.0, 3.0)  # length scales and standard deviations of the random functions
WAVES = 64  # waves whose sum is a random function
LARGEST = 1e4  # values of a table; beyond, exp continues linearly


@dataclass(frozen=True)
class Pool:
    """Functions on a grid, with their names; the first ones are those of ``DICTIONARY``."""

    names: tuple[str, ...]
    values: Float[Tensor, "functions points"]

    def name(self, members: tuple[int, ...]) -> str:
        """Return the names of a combination, joined by plus signs."""
        return "+".join(self.names[k] for k in members)

    def members(self, name: str) -> tuple[int, ...]:
        """Return the combination that has this name."""
        return tuple(self.names.index(part) for part in name.split("+"))

    def named(self, members: tuple[int, ...]) -> bool:
        """Return whether a combination consists of named functions."""
        return max(members) < len(DICTIONARY)


def pool_of(x: Float[Tensor, " points"], size: int, generator: torch.Generator) -> Pool:
    """Return the named functions and as many random ones on the grid x.

    Parameters
    ----------
    x : shape ``(points,)``, float64
        Grid.
    size
        Number of random functions.
    generator
        Source of random numbers.
    """
    known = torch.stack([_bounded(named.find(name).value(x)) for name in DICTIONARY])
    kinds = [(length, amplitude) for amplitude in AMPLITUDES for length in LENGTHS]
    length, amplitude = torch.tensor(kinds, dtype=torch.float64)[torch.arange(size) % len(kinds)].unbind(1)
    drawn = amplitude[:, None] * gaussian_process(x, length, generator)
    return Pool((*DICTIONARY, *(f"random {k + 1}" for k in range(size))), torch.cat([known, drawn]))


def gaussian_process(
    x: Float[Tensor, " points"], length: Float[Tensor, " functions"], generator: torch.Generator
) -> Float[Tensor, "functions points"]:
    """Draw functions of variance one from Gaussian processes with these length scales, as sums of waves of random frequency.

    References
    ----------
    A. Rahimi and B. Recht, "Random features for large-scale kernel machines", NeurIPS 2007.
    """
    frequency = torch.randn(len(length), WAVES, 1, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand(len(length), WAVES, 1, generator=generator, dtype=torch.float64)
    return math.sqrt(2 / WAVES) * (frequency / length[:, None, None] * x + phase).cos().sum(1)


def _bounded(values: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    """Return the values, continued linearly from where they exceed ``LARGEST``."""
    above = (values.abs() > LARGEST).nonzero()
    if not len(above):
        return values
    first = int(above[0])
    slope = values[first - 1] - values[first - 2]
    beyond = torch.arange(1, len(values) - first + 1, dtype=values.dtype)
    return torch.cat([values[:first], values[first - 1] + slope * beyond])
