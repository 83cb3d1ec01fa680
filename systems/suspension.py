"""Suspension: a periodically driven system with the phase of the drive among its coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.system import System


@dataclass(frozen=True)
class Suspension(System):
    r"""The same motion without explicit time: the drive's phase makes two more coordinates, on a circle.

    .. math:: \dot z = f(t, z), \quad \dot c = -\Omega s, \quad \dot s = \Omega c, \qquad (c, s) = (\cos, \sin)\, \Omega t

    What asks for an autonomous flow, as a network that learns one, takes the suspension of a driven system; the section
    ``("sin", 0.0)`` in direction 1 is its stroboscopic picture, once a period. Two of the Lyapunov exponents are zero.

    driven: a system whose field has a ``period``, and takes one time for each state. Raises InputError for any other.

    >>> import systems
    >>> suspended = Suspension(systems.get("forced-duffing"))
    >>> suspended.coordinates, suspended.sample(1, seed=0)[0, 2:].tolist()
    (('x', 'v', 'cos', 'sin'), [1.0, 0.0])
    """

    driven: System

    def __post_init__(self) -> None:
        if self.driven.autonomous:
            raise InputError(f"{self.driven.name} does not depend on time: it needs no suspension")
        if self.driven.period is None:
            raise InputError(f"{self.driven.name} depends on time, but has no period: only a periodic drive has a phase")

    @property
    def name(self) -> str:  # type: ignore[override]
        """That of the driven system, and that it is suspended."""
        return f"{self.driven.name} (suspended)"

    @property
    def coordinates(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of the driven system, and cosine and sine of the phase."""
        return (*self.driven.coordinates, "cos", "sin")

    @property
    def surface(self) -> tuple[str, float]:
        """The start of each period."""
        return "sin", 0.0

    @property
    def periods(self) -> Mapping[str, float]:  # type: ignore[override]
        """Those of the driven system."""
        return self.driven.periods

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the driven system."""
        return self.driven.parameters

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """The driven field at the time that the phase tells, and the phase's steady turning."""
        assert self.driven.period is not None
        frequency = 2 * pi / self.driven.period
        cos, sin = z[..., -2], z[..., -1]
        rate = self.driven.vector_field(torch.atan2(sin, cos) / frequency, z[..., :-2])
        return torch.cat([rate, torch.stack([-frequency * sin, frequency * cos], dim=-1)], dim=-1)

    def sample(self, n: int, *, seed: int = 0, **options: Any) -> Float[Tensor, "n D"]:
        """n states of the driven system at t = 0, with its options."""
        z = self.driven.sample(n, seed=seed, **options)
        return self.at(0.0, z)

    def at(self, t: float, z: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch D"]:
        """States of the driven system at a time, as states of the suspension."""
        assert self.driven.period is not None
        phase = torch.as_tensor(2 * pi / self.driven.period * t, dtype=z.dtype, device=z.device)
        circle = torch.stack([phase.cos(), phase.sin()])
        return torch.cat([z, circle.expand(*z.shape[:-1], 2)], dim=-1)
