"""The van der Pol oscillator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.registry import register
from systems.sampling import Bounds, box
from systems.system import Symmetry, System


@register("van-der-pol")
@dataclass(frozen=True)
class VanDerPol(System):
    r"""An oscillator with amplitude-dependent damping, whose limit cycle attracts every state but the origin.

    .. math:: \ddot x - \mu (1 - x^2) \dot x + x = 0

    The state is ``z = (x, v)``, dimensionless.

    Parameters
    ----------
    mu : float, default 2.7
        Strength of the damping.

    Notes
    -----
    Use it for a limit cycle: every forecast should end on the same closed curve, with the right period. A large mu makes the
    system stiff.

    References
    ----------
    van der Pol, Phil. Mag. 2, 978 (1926).
    """

    mu: float = 2.7
    coordinates: ClassVar = ("x", "v")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return (v, mu (1 - x^2) v - x)."""
        x, v = z.unbind(-1)
        return torch.stack([v, self.mu * (1 - x**2) * v - x], dim=-1)

    def divergence(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return the divergence of the field, mu (1 - x^2), at which phase-space area grows."""
        return self.mu * (1 - z[..., 0] ** 2)

    def sample(self, n: int, *, seed: int = 0, bounds: Bounds = ((-2.5, 2.5), (-5.0, 5.0))) -> Float[Tensor, "n 2"]:
        """Draw initial states uniformly from a box around the limit cycle.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        bounds : sequence of (low, high)
            Range of each coordinate.

        Returns
        -------
        Tensor, shape ``(n, 2)``
            States in float64.
        """
        return box(n, bounds, seed)
