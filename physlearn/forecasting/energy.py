"""The energy of a learned flow, and its velocity and force, as attributes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

from torch import Tensor


class EnergyParts:
    """Base class of learned flows: the parts of their Hamiltonians, which raise AttributeError where there are none."""

    @property
    def hamiltonian(self) -> Callable[[Tensor], Tensor]:
        """The learned energy, up to a constant: ``f.hamiltonian(z)`` maps ``(..., D)`` to ``(...)``."""
        return self._part("hamiltonian")

    @property
    def energy(self) -> Callable[[Tensor], Tensor]:
        """The energy that the learned flow conserves: that of a Lagrangian model, up to a factor, or else the Hamiltonian."""
        try:
            return self._part("energy")
        except AttributeError:
            return self._part("hamiltonian")

    @property
    def velocity(self) -> Callable[[Tensor], Tensor]:
        """The velocity dT/dp of a separable model: ``f.velocity(p)``."""
        return self._part("velocity")

    @property
    def force(self) -> Callable[[Tensor], Tensor]:
        """The force -dV/dq of a separable model: ``f.force(q)``."""
        return self._part("force")

    @abstractmethod
    def _part(self, name: str) -> Callable[[Tensor], Tensor]:
        """Return a part as a function. Raises AttributeError if there is none."""
