"""The Henon-Heiles system with general coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.hamiltonian.cubic_well import CubicWell
from systems.registry import register
from systems.system import Symmetry


@register("general-henon-heiles")
@dataclass(frozen=True)
class GeneralHenonHeiles(CubicWell):
    r"""A star in a galaxy without the threefold symmetry, or a lattice of three kinds of springs.

    .. math:: H = \tfrac12 (p_x^2 + p_y^2) + \tfrac12 (a x^2 + b y^2) + d\, x^2 y - \tfrac13 c\, y^3

    The state is ``z = (x, y, p_x, p_y)``, dimensionless. All orbits are regular, for a second quantity is conserved, where
    c = -d and a = b, where c = -6 d, and where c = -16 d and b = 16 a; the default is the first of these. With
    c = d and a = b it is the system ``henon-heiles``.

    Source: Chang, Tabor, Weiss, J. Math. Phys. 23, 531 (1982).
    """

    a: float = 1.0
    b: float = 1.0
    c: float = -1.0
    d: float = 1.0
    coordinates: ClassVar = ("x", "y", "p_x", "p_y")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: z * z.new_tensor([-1.0, 1.0, -1.0, 1.0]),)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.a > 0 and self.b > 0):
            raise InputError(f"a and b must be positive for a well at the origin, not {self.a} and {self.b}")

    @property
    def stiffness(self) -> float:
        """The smaller of the two curvatures at the bottom."""
        return min(self.a, self.b)

    @property
    def escape_energy(self) -> float:
        """The energy of the lowest saddle; infinite without cubic terms.

        One saddle lies on the y axis, and two aside of it, at y = -a / 2d, where the coefficients allow.
        """
        a, b, c, d = self.a, self.b, self.c, self.d
        saddles = [inf]
        if c != 0:
            saddles.append(b**3 / (6 * c**2))
        if d != 0 and (a * c + 2 * b * d) / d**3 > 0:
            saddles.append(a**2 * (3 * b * d + a * c) / (24 * d**3))
        return min(saddles)

    def potential(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """V(x, y)."""
        x, y = q.unbind(-1)
        return (self.a * x**2 + self.b * y**2) / 2 + self.d * x**2 * y - self.c * y**3 / 3

    def force(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """-dV/dq."""
        x, y = q.unbind(-1)
        return torch.stack([-self.a * x - 2 * self.d * x * y, -self.b * y - self.d * x**2 + self.c * y**2], dim=-1)
