"""Suspension of a periodically driven system, which makes it autonomous."""

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
    r"""A periodically driven system made autonomous: the phase of the drive adds two coordinates, on a circle.

    .. math:: \dot z = f(t, z), \quad \dot c = -\Omega s, \quad \dot s = \Omega c, \qquad (c, s) = (\cos, \sin)\, \Omega t

    A method that needs an autonomous flow, such as a network that learns one, can use the suspension of a driven system. The
    section ``("sin", 0.0)`` in direction 1 is the stroboscopic map, with one point per period. Two of the Lyapunov exponents
    are zero.

    Parameters
    ----------
    driven : System
        System whose vector field depends on time with a ``period`` and accepts one time per state.

    Raises
    ------
    InputError
        If the system is autonomous or not periodic in time.

    Examples
    --------
    >>> import systems
    >>> suspended = Suspension(systems.get("forced-duffing"))
    >>> suspended.coordinates, suspended.sample(1, seed=0)[0, 2:].tolist()
    (('x', 'v', 'cos', 'sin'), [1.0, 0.0])
    """

    driven: System

    def __post_init__(self) -> None:
        if self.driven.autonomous:
            raise InputError(f"{self.driven.name} does not depend on time; use it without a suspension")
        if self.driven.period is None:
            raise InputError(f"{self.driven.name} depends on time without a period; use a system with a periodic drive")

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the driven system, followed by "(suspended)"."""
        return f"{self.driven.name} (suspended)"

    @property
    def coordinates(self) -> tuple[str, ...]:  # type: ignore[override]
        """Coordinates of the driven system, followed by the cosine and sine of the phase."""
        return (*self.driven.coordinates, "cos", "sin")

    @property
    def surface(self) -> tuple[str, float]:
        """Section at the start of each period."""
        return "sin", 0.0

    @property
    def periods(self) -> Mapping[str, float]:  # type: ignore[override]
        """Periods of the coordinates of the driven system."""
        return self.driven.periods

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the driven system."""
        return self.driven.parameters

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the field of the driven system at the time given by the phase, and the uniform rotation of the phase.

        Parameters
        ----------
        t : scalar
            Time, which has no influence.
        z : shape ``(..., D)``
            States of the suspension.

        Returns
        -------
        Tensor, shape ``(..., D)``
            Time derivative of each state.
        """
        assert self.driven.period is not None
        frequency = 2 * pi / self.driven.period
        cos, sin = z[..., -2], z[..., -1]
        rate = self.driven.vector_field(torch.atan2(sin, cos) / frequency, z[..., :-2])
        return torch.cat([rate, torch.stack([-frequency * sin, frequency * cos], dim=-1)], dim=-1)

    def sample(self, n: int, *, seed: int = 0, **options: Any) -> Float[Tensor, "n D"]:
        """Draw initial states of the driven system at t = 0.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        **options
            Further arguments of the driven system's ``sample``.

        Returns
        -------
        Tensor, shape ``(n, D)``
            States of the suspension in float64, with phase zero.
        """
        z = self.driven.sample(n, seed=seed, **options)
        return self.at(0.0, z)

    def at(self, t: float, z: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch D"]:
        """Convert states of the driven system at a given time to states of the suspension.

        Parameters
        ----------
        t : float
            Time.
        z : shape ``(..., d)``
            States of the driven system.

        Returns
        -------
        Tensor, shape ``(..., d + 2)``
            States of the suspension.
        """
        assert self.driven.period is not None
        phase = torch.as_tensor(2 * pi / self.driven.period * t, dtype=z.dtype, device=z.device)
        circle = torch.stack([phase.cos(), phase.sin()])
        return torch.cat([z, circle.expand(*z.shape[:-1], 2)], dim=-1)
