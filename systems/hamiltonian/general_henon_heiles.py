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
    r"""A star in a galaxy without threefold symmetry, or a lattice with three kinds of springs.

    .. math:: H = \tfrac12 (p_x^2 + p_y^2) + \tfrac12 (a x^2 + b y^2) + d\, x^2 y - \tfrac13 c\, y^3

    The state is ``z = (x, y, p_x, p_y)``, dimensionless. In three cases, a second quantity is conserved, so that all orbits
    are regular: c = -d with a = b (the default), c = -6 d, and c = -16 d with b = 16 a. With c = d and a = b, this is the
    system ``henon-heiles``.

    Parameters
    ----------
    a, b : float, default 1
        Curvatures of the potential along x and y, which must be positive.
    c : float, default -1
        Coefficient of y^3.
    d : float, default 1
        Coefficient of x^2 y.

    Raises
    ------
    InputError
        If a or b is not positive.

    Notes
    -----
    Use it to compare integrable and chaotic motion within one family of potentials, for example to test indicators of chaos.

    References
    ----------
    Chang, Tabor, Weiss, J. Math. Phys. 23, 531 (1982).
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
        """Smaller of the two curvatures at the minimum."""
        return min(self.a, self.b)

    @property
    def escape_energy(self) -> float:
        """Energy of the lowest saddle, or infinity without cubic terms.

        One saddle lies on the y axis. For some coefficients, two others lie beside it at y = -a / 2d.
        """
        a, b, c, d = self.a, self.b, self.c, self.d
        saddles = [inf]
        if c != 0:
            saddles.append(b**3 / (6 * c**2))
        if d != 0 and (a * c + 2 * b * d) / d**3 > 0:
            saddles.append(a**2 * (3 * b * d + a * c) / (24 * d**3))
        return min(saddles)

    def potential(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return V(x, y)."""
        x, y = q.unbind(-1)
        return (self.a * x**2 + self.b * y**2) / 2 + self.d * x**2 * y - self.c * y**3 / 3

    def force(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return -dV/dq."""
        x, y = q.unbind(-1)
        return torch.stack([-self.a * x - 2 * self.d * x * y, -self.b * y - self.d * x**2 + self.c * y**2], dim=-1)
