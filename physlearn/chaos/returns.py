"""Returns: how often each coordinate of an orbit has turned round."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

LEAST_TURN = 0.02  # of the orbit's spread: an orbit that has come to rest turns by less, if at all


@dataclass
class Turns:
    """The number of times that each coordinate of some orbits has turned round by more than a part of its spread.

    states: scaled states at the last extremes, ``(n, D)``. way: 1 where a coordinate rises, -1 where it falls, 0 where it
    has not moved yet. count: the turns.
    """

    states: Float[Tensor, "n D"]
    way: Float[Tensor, "n D"]
    count: Float[Tensor, "n D"]

    @classmethod
    def of(cls, z: Float[Tensor, "n D"]) -> Turns:
        """No turns yet, of orbits that start at these scaled states."""
        z = z.double()
        return cls(z, torch.zeros_like(z), torch.zeros_like(z))

    def add(self, rows: Int[Tensor, " m"], z: Float[Tensor, "m D"]) -> Float[Tensor, "m D"]:
        """Count the turns up to the next scaled states of the orbits numbered so, and return their numbers."""
        z, extreme, way = z.double(), self.states[rows], self.way[rows]
        moved = z - extreme
        started = (way == 0) & (moved.abs() > LEAST_TURN)
        turned = (way * moved < -LEAST_TURN) & (way != 0)
        self.count[rows] += turned
        self.way[rows] = torch.where(started | turned, moved.sign(), way)
        self.states[rows] = torch.where(started | turned | (way * moved > 0), z, extreme)
        return self.count[rows]
