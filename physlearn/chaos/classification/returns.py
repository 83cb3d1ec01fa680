"""Count how often each coordinate of an orbit reverses its motion."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

LEAST_TURN = 0.02  # smallest reversal that counts, in units of the orbit's spread; an orbit at rest turns by less


@dataclass
class Turns:
    """The number of times that each coordinate of some orbits has reversed its motion by more than a part of its spread.

    ``states`` are the scaled states at the last extremes. ``way`` is 1 for a rising coordinate, -1 for a falling one, and 0
    for one that has not moved yet. ``count`` is the number of turns.
    """

    states: Float[Tensor, "n D"]
    way: Float[Tensor, "n D"]
    count: Float[Tensor, "n D"]

    @classmethod
    def of(cls, z: Float[Tensor, "n D"]) -> Turns:
        """Start counting for orbits from these scaled states."""
        z = z.double()
        return cls(z, torch.zeros_like(z), torch.zeros_like(z))

    def add(self, rows: Int[Tensor, " m"], z: Float[Tensor, "m D"]) -> Float[Tensor, "m D"]:
        """Add the next scaled states of the orbits with indices ``rows``, and return their numbers of turns."""
        z, extreme, way = z.double(), self.states[rows], self.way[rows]
        moved = z - extreme
        started = (way == 0) & (moved.abs() > LEAST_TURN)
        turned = (way * moved < -LEAST_TURN) & (way != 0)
        self.count[rows] += turned
        self.way[rows] = torch.where(started | turned, moved.sign(), way)
        self.states[rows] = torch.where(started | turned | (way * moved > 0), z, extreme)
        return self.count[rows]
