"""What the Henon-Heiles systems share: a well whose walls are a cubic, and states inside of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import sqrt

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.errors import InputError
from systems.sampling import check_count, generator, microcanonical
from systems.system import SeparableSystem

USUAL = 0.6  # of the escape energy: ordered and chaotic orbits both
LARGEST = 1 / 6  # the escape energy that counts for the usual energy where nothing ever escapes


class CubicWell(SeparableSystem):
    """Two degrees of freedom with T = p^2/2 and V a quadratic and a cubic, with its bottom at the origin.

    Along each ray from there V rises to one maximum, or for ever; the lowest of these maxima is the ``escape_energy``.
    """

    @property
    @abstractmethod
    def escape_energy(self) -> float:
        """The energy of the lowest saddle."""

    @property
    @abstractmethod
    def stiffness(self) -> float:
        """The smaller of the two curvatures at the bottom."""

    def inside(self, q: Float[Tensor, "n 2"]) -> Bool[Tensor, " n"]:
        """Where V still rises along the ray from the bottom: regions beyond the saddles have V < E too."""
        return (q * self.force(q)).sum(-1) <= 0

    def velocity(self, p: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """dT/dp = p."""
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
        """n states of the microcanonical ensemble inside the well.

        energy: a number or n numbers, by default 0.6 of the escape energy; energy_range: (low, high) instead, to draw each
        energy from uniformly.
        Raises InputError for energies outside of (0, escape energy); ``bounded=False`` allows more.
        """
        check_count(n)
        if energy_range is not None:
            self._check_energies(torch.tensor(energy_range, dtype=torch.float64), bounded)
            energies = _uniform(n, *energy_range, seed)
        else:
            energies = _energies(n, USUAL * min(self.escape_energy, LARGEST) if energy is None else energy)
        self._check_energies(energies, bounded)
        # V >= stiffness r^2 / 6 as far as it rises, so that no state is farther out
        size = sqrt(6 * float(energies.max()) / self.stiffness)
        return microcanonical(energies, self.potential, self.inside, [(-size, size)] * 2, seed)

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
