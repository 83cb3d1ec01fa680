"""The common base of the Henon-Heiles systems: a potential well with cubic terms, and samples inside it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import sqrt
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.errors import InputError
from systems.hamiltonian_system import SeparableSystem, reverse_momenta
from systems.sampling import check_count, generator, microcanonical
from systems.system import Symmetry

USUAL = 0.6  # of the escape energy; both regular and chaotic orbits exist
LARGEST = 1 / 6  # upper limit of the escape energy in the default energy, for wells without escape


class CubicWell(SeparableSystem):
    """A system with T = p^2/2 and a potential of quadratic and cubic terms in two positions, with its minimum at the origin.

    Along each ray from the origin, V rises to a single maximum or without bound. The lowest maximum is the ``escape_energy``.
    """

    reversals: ClassVar[tuple[Symmetry, ...]] = (reverse_momenta,)

    @property
    @abstractmethod
    def escape_energy(self) -> float:
        """Energy of the lowest saddle."""

    @property
    @abstractmethod
    def stiffness(self) -> float:
        """Smaller of the two curvatures at the minimum."""

    def inside(self, q: Float[Tensor, "n 2"]) -> Bool[Tensor, " n"]:
        """Return whether V still rises along the ray from the origin. Regions beyond the saddles may have V < E as well."""
        return (q * self.force(q)).sum(-1) <= 0

    def velocity(self, p: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return dT/dp = p."""
        return p

    def sample(
        self,
        n: int,
        *,
        seed: int = 0,
        energy: float | Sequence[float] | Tensor | None = None,
        energy_range: tuple[float, float] | None = None,
        bounded: bool = True,
    ) -> Float[Tensor, "n 4"]:
        """Draw initial states from the microcanonical ensemble inside the well.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        energy : float or sequence of float, optional
            Energy of all states, or of each. Defaults to 0.6 times the escape energy, which counts as at most 1/6.
        energy_range : (float, float), optional
            Range from which each energy is drawn uniformly, instead of ``energy``.
        bounded : bool, default True
            Whether energies must be below the escape energy.

        Returns
        -------
        Tensor, shape ``(n, 4)``
            States in float64.

        Raises
        ------
        InputError
            If an energy is not positive and finite, or if it is not below the escape energy and ``bounded`` is True.
        """
        check_count(n)
        if energy_range is not None:
            self._check_energies(torch.tensor(energy_range, dtype=torch.float64), bounded)
            energies = _uniform(n, *energy_range, seed)
        else:
            energies = _energies(n, USUAL * min(self.escape_energy, LARGEST) if energy is None else energy)
        self._check_energies(energies, bounded)
        # V >= stiffness r^2 / 6 as long as it rises, so no state lies farther out
        size = sqrt(6 * float(energies.max()) / self.stiffness)
        return microcanonical(energies, self.potential, self.inside, [(-size, size)] * 2, seed)

    def _check_energies(self, energies: Tensor, bounded: bool) -> None:
        low, high = float(energies.min()), float(energies.max())
        if not torch.isfinite(energies).all():
            raise InputError(f"energy must consist of finite numbers, not {energies.tolist()}")
        if low <= 0:
            raise InputError(f"energy={low:g} must be above 0, the minimum of the potential")
        if bounded and high >= self.escape_energy:
            raise InputError(
                f"energy={high:g} is not below the escape energy {self.escape_energy:.6g}, so orbits can "
                "escape; choose a lower energy, or pass bounded=False"
            )


def _uniform(n: int, low: float, high: float, seed: int) -> Float[Tensor, " n"]:
    # a separate random stream, so that energies and positions are independent
    return low + (high - low) * torch.rand(n, generator=generator(n, seed + 2**32), dtype=torch.float64)


def _energies(n: int, energy: float | Sequence[float] | Tensor) -> Float[Tensor, " n"]:
    values = torch.as_tensor(energy, dtype=torch.float64)
    if values.ndim > 1 or (values.ndim == 1 and len(values) != n):
        raise InputError(f"energy must be a number or {n} numbers, not an array of shape {tuple(values.shape)}")
    return values.expand(n).clone()
