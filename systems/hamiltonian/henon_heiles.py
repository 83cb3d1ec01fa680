"""The Henon-Heiles system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.registry import register
from systems.sampling import check_count, generator, microcanonical
from systems.system import SeparableSystem, Symmetry


def _rotate(z: Tensor) -> Tensor:
    """Rotation of positions and momenta by 120 degrees."""
    turn = z.new_tensor([[-0.5, -sqrt(3) / 2], [sqrt(3) / 2, -0.5]])
    return torch.cat([z[..., :2] @ turn.T, z[..., 2:] @ turn.T], dim=-1)


def _mirror(z: Tensor) -> Tensor:
    """X to -x."""
    return z * z.new_tensor([-1.0, 1.0, -1.0, 1.0])


@register("henon-heiles")
@dataclass(frozen=True)
class HenonHeiles(SeparableSystem):
    r"""A star in the meridional plane of an axisymmetric galaxy.

    .. math:: H = \tfrac12 (p_x^2 + p_y^2) + \tfrac12 (x^2 + y^2) + \lambda (x^2 y - \tfrac13 y^3)

    The state is ``z = (x, y, p_x, p_y)``, dimensionless. Motion below the escape energy ``1 / (6 coupling^2)`` is bounded
    inside the triangle with corners (0, 1) and (+-sqrt(3)/2, -1/2), in units of ``1 / coupling``.

    Source: Henon and Heiles, Astron. J. 69, 73 (1964).
    """

    coupling: float = 1.0
    coordinates: ClassVar = ("x", "y", "p_x", "p_y")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (_rotate, _mirror)

    def __post_init__(self) -> None:
        if not (isfinite(self.coupling) and self.coupling != 0):
            raise InputError(f"coupling must be a finite number other than 0, not {self.coupling}")

    @property
    def escape_energy(self) -> float:
        """The energy of the three saddles."""
        return 1 / (6 * self.coupling**2)

    def potential(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """V(x, y)."""
        x, y = q.unbind(-1)
        return (x**2 + y**2) / 2 + self.coupling * (x**2 * y - y**3 / 3)

    def velocity(self, p: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """-dV/dq."""
        x, y = q.unbind(-1)
        return torch.stack([-x - 2 * self.coupling * x * y, -y - self.coupling * (x**2 - y**2)], dim=-1)

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        energy: float | Sequence[float] | Tensor | None = None,
        energy_range: tuple[float, float] | None = None,
        bounded: bool = True,
    ) -> Float[Tensor, "n 4"]:
        """n states of the microcanonical ensemble inside the triangle.

        energy: a number or n numbers, by default 0.6 of the escape energy (0.1 for ``coupling = 1``); energy_range:
        (low, high) instead, to draw each energy from uniformly.
        Raises InputError for energies outside of (0, escape energy); ``bounded=False`` allows more.
        """
        check_count(n)
        if energy_range is not None:
            self._check_energies(torch.tensor(energy_range, dtype=torch.float64), bounded)
            energies = _uniform(n, *energy_range, seed)
        else:
            energies = _energies(n, 0.6 * self.escape_energy if energy is None else energy)
        self._check_energies(energies, bounded)
        # V >= r^2/6 inside the triangle, so that no state is farther out than sqrt(6 E)
        size = min(1 / abs(self.coupling), sqrt(6 * float(energies.max())))

        def inside(q: Tensor) -> Tensor:
            x, y = self.coupling * q[:, 0], self.coupling * q[:, 1]
            return (y > -0.5) & (sqrt(3) * x.abs() <= 1 - y)

        return microcanonical(energies, self.potential, inside, [(-size, size)] * 2, seed)

    def _check_energies(self, energies: Tensor, bounded: bool) -> None:
        low, high = float(energies.min()), float(energies.max())
        if not torch.isfinite(energies).all():
            raise InputError(f"energy={energies.tolist()} must be finite numbers")
        if low <= 0:
            raise InputError(f"energy={low:g} must be above 0, the bottom of the well")
        if bounded and high >= self.escape_energy:
            raise InputError(
                f"energy={high:g} is not below the escape energy {self.escape_energy:.6g}: "
                "orbits leave; choose a lower one, or bounded=False"
            )


def _uniform(n: int, low: float, high: float, seed: int) -> Float[Tensor, " n"]:
    # a stream of its own: the energies must not be the numbers that place the states
    return low + (high - low) * torch.rand(n, generator=generator(n, seed + 2**32), dtype=torch.float64)


def _energies(n: int, energy: float | Sequence[float] | Tensor) -> Float[Tensor, " n"]:
    values = torch.as_tensor(energy, dtype=torch.float64)
    if values.ndim > 1 or (values.ndim == 1 and len(values) != n):
        raise InputError(f"energy must be a number or {n} numbers, not of shape {tuple(values.shape)}")
    return values.expand(n).clone()
