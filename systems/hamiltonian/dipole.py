"""A charged particle in the field of a magnetic dipole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import InputError
from systems.hamiltonian_system import HamiltonianSystem, SeparableSystem
from systems.registry import register
from systems.sampling import check_count, microcanonical
from systems.system import Symmetry

SADDLE = 1 / 32  # energy of the saddle at rho = 2, above which a particle can escape


@register("dipole-reduced")
@dataclass(frozen=True)
class ReducedDipole(SeparableSystem):
    r"""A charge in the field of a magnetic dipole, in the meridian plane that rotates with it (Stoermer's problem).

    .. math:: H = \tfrac12 (p_\rho^2 + p_z^2) + \tfrac12 \left(\frac{1}{\rho} - \frac{\rho}{r^3}\right)^2

    The state is ``z = (rho, z, p_rho, p_z)``, in Stoermer's units, in which the conserved angular momentum is 1. Below the
    energy 1/32 of the saddle at rho = 2, z = 0, the charge is trapped, as in the radiation belts of the Earth.

    Notes
    -----
    Use it to study trapping and escape: below the saddle every orbit is trapped, and the energy decides how many of the
    trapped orbits are chaotic.

    References
    ----------
    Dragt, Rev. Geophys. 3, 255 (1965).
    """

    coordinates: ClassVar = ("rho", "z", "p_rho", "p_z")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: z * z.new_tensor([1.0, -1.0, 1.0, -1.0]),)

    @property
    def surface(self) -> tuple[str, float]:
        """Section at the equator, z = 0."""
        return "z", 0.0

    def potential(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return V(rho, z)."""
        rho = q[..., 0]
        return (1 / rho - rho / q.norm(dim=-1) ** 3).square() / 2

    def velocity(self, p: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return dT/dp = p."""
        return p

    def force(self, q: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return -dV/dq."""
        rho, z = q.unbind(-1)
        r = q.norm(dim=-1)
        root = 1 / rho - rho / r**3  # V is half of its square
        slope = torch.stack([3 * rho**2 / r**5 - 1 / r**3 - 1 / rho**2, 3 * rho * z / r**5], dim=-1)
        return -root.unsqueeze(-1) * slope

    def sample(self, n: int, *, seed: int = 0, energy: float = 0.02) -> Float[Tensor, "n 4"]:
        """Draw trapped initial states from the microcanonical ensemble near the equator, with -0.5 < z < 0.5.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        energy : float, default 0.02
            Energy of the states.

        Returns
        -------
        Tensor, shape ``(n, 4)``
            States in float64.

        Raises
        ------
        InputError
            Unless 0 < energy < 1/32.
        """
        if not 0 < energy < SADDLE:
            raise InputError(f"energy must be above 0 and below 1/32, the energy of the saddle, not {energy}")
        check_count(n)
        energies = torch.full((n,), energy, dtype=torch.float64)
        return microcanonical(energies, self.potential, lambda q: q[:, 0] < 2, [(0.5, 2.0), (-0.5, 0.5)], seed)


@register("dipole")
@dataclass(frozen=True)
class Dipole(HamiltonianSystem):
    r"""A charge in the field of a magnetic dipole, in three dimensions; H is not separable.

    .. math:: H = \tfrac12 (p - A(q))^2, \quad A = (-y, x, 0) / r^3

    The state is ``z = (x, y, z, p_x, p_y, p_z)``, with canonical momenta, in Stoermer's units. The kinetic energy contains the
    vector potential A. The speed and x p_y - y p_x are conserved.

    Notes
    -----
    Use it to test a method on a Hamiltonian that is not separable, in three dimensions. ``dipole-reduced`` is the same motion
    without the angle, with a separable H.
    """

    coordinates: ClassVar = ("x", "y", "z", "p_x", "p_y", "p_z")
    symmetries: ClassVar[tuple[Symmetry, ...]] = (
        lambda z: z * z.new_tensor([-1.0, -1.0, 1.0, -1.0, -1.0, 1.0]),
        lambda z: z * z.new_tensor([1.0, 1.0, -1.0, 1.0, 1.0, -1.0]),
    )

    @property
    def surface(self) -> tuple[str, float]:
        """Section at the equator, z = 0."""
        return "z", 0.0

    def hamiltonian(self, z: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch"]:
        """Return half of the squared velocity."""
        return self._velocity(z).square().sum(-1) / 2

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 6"]:
        """Return dq/dt = v = p - A, and dp_i/dt as the sum of v_j dA_j/dq_i over j."""
        q = z[..., :3]
        x, y, height = q.unbind(-1)
        r = q.norm(dim=-1)
        v = self._velocity(z)
        v_x, v_y, _ = v.unbind(-1)
        turning = 3 * (y * v_x - x * v_y) / r**5
        force = torch.stack([x * turning + v_y / r**3, y * turning - v_x / r**3, height * turning], dim=-1)
        return torch.cat([v, force], dim=-1)

    def _velocity(self, z: Float[Tensor, "*batch 6"]) -> Float[Tensor, "*batch 3"]:
        """Return the velocity p - A."""
        q, p = z.chunk(2, dim=-1)
        x, y, _ = q.unbind(-1)
        around = torch.stack([-y, x, torch.zeros_like(x)], dim=-1) / q.norm(dim=-1, keepdim=True) ** 3
        return p - around

    def sample(self, n: int, *, seed: int = 0, energy: float = 0.02) -> Float[Tensor, "n 6"]:
        """Draw trapped initial states of the reduced system, in the plane y = 0 and with angular momentum 1.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        energy : float, default 0.02
            Energy of the states.

        Returns
        -------
        Tensor, shape ``(n, 6)``
            States in float64.

        Raises
        ------
        InputError
            Unless 0 < energy < 1/32.
        """
        rho, z, p_rho, p_z = ReducedDipole().sample(n, seed=seed, energy=energy).unbind(-1)
        return torch.stack([rho, torch.zeros_like(rho), z, p_rho, 1 / rho, p_z], dim=-1)
