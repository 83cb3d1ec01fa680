"""Sampling of initial states from boxes, annuli and the microcanonical ensemble, and grids on a surface of section."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.errors import InputError
from systems.scalars import seeded
from systems.size import check_memory

if TYPE_CHECKING:
    from systems.hamiltonian_system import HamiltonianSystem

FEWEST_NUMBERS = 4  # two coordinates of a state, and the two random numbers from which they are drawn
MANY = 10**300  # larger integers cannot be formatted as floats

Bounds = Sequence[tuple[float, float]]


def check_count(n: int) -> None:
    """Raise InputError if the number of states is less than one, or if the states do not fit in memory."""
    if n < 1:
        raise InputError(f"the number of initial states must be at least 1, not {n}")
    check_memory(FEWEST_NUMBERS * n, f"{n:g} initial states" if n < MANY else "that many initial states")


def generator(n: int, seed: int) -> torch.Generator:
    """Return a seeded random number generator for n states. Raises InputError if n is less than one."""
    check_count(n)
    return seeded(seed)


def box(n: int, bounds: Bounds, seed: int) -> Float[Tensor, "n D"]:
    """Draw n states uniformly from a box. ``bounds`` holds (low, high) for each coordinate."""
    low, high = torch.tensor(bounds, dtype=torch.float64).T
    return low + (high - low) * torch.rand(n, len(bounds), generator=generator(n, seed), dtype=torch.float64)


def annulus(n: int, inner: float, outer: float, seed: int) -> Float[Tensor, "n 2"]:
    """Draw n points uniformly from a plane annulus around the origin. Raises InputError unless 0 <= inner < outer."""
    if not 0 <= inner < outer:
        raise InputError(f"the radii of an annulus must satisfy 0 <= inner < outer, but they are {inner} and {outer}")
    radius, angle = torch.rand(2, n, generator=generator(n, seed), dtype=torch.float64)
    radius = (inner**2 + (outer**2 - inner**2) * radius).sqrt()
    angle = 2 * math.pi * angle
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)


def microcanonical(
    energy: Float[Tensor, " n"],
    potential: Callable[[Tensor], Tensor],
    inside: Callable[[Tensor], Bool[Tensor, " n"]],
    bounds: Bounds,
    seed: int,
) -> Float[Tensor, "n 4"]:
    """Draw states with H = p^2/2 + V(q) and two degrees of freedom, uniformly over each energy surface.

    For two degrees of freedom, the Liouville measure on the energy surface is uniform in q over the allowed region V(q) < E
    and uniform in the direction of p.

    Parameters
    ----------
    energy : shape ``(n,)``
        Energy of each state.
    potential : callable
        V(q) for positions of shape ``(n, 2)``.
    inside : callable
        Whether positions are inside the well. Regions beyond its saddles may have V < E as well.
    bounds : sequence of (low, high)
        Box around the allowed region, in each position.
    seed : int
        Random seed.

    Returns
    -------
    Tensor, shape ``(n, 4)``
        States (q_1, q_2, p_1, p_2).
    """
    n = len(energy)
    random = generator(n, seed)
    low, high = torch.tensor(bounds, dtype=torch.float64).T
    q = torch.empty(n, 2, dtype=torch.float64)
    missing = torch.arange(n)
    while len(missing):
        trial = low + (high - low) * torch.rand(len(missing), 2, generator=random, dtype=torch.float64)
        accepted = inside(trial) & (potential(trial) < energy[missing])
        q[missing[accepted]] = trial[accepted]
        missing = missing[~accepted]
    speed = (2 * (energy - potential(q))).sqrt()
    angle = 2 * math.pi * torch.rand(n, generator=random, dtype=torch.float64)
    return torch.stack([q[:, 0], q[:, 1], speed * angle.cos(), speed * angle.sin()], dim=-1)


def on_section(
    system: HamiltonianSystem,
    n: int,
    energy: float,
    *,
    surface: tuple[str, float] | None = None,
    direction: int = 1,
    bounds: Bounds | None = None,
) -> Float[Tensor, "n 4"]:
    """Return states of one energy on a surface of section, on a regular grid over the region that the energy allows.

    The grid covers the plane of the other position and its momentum, and the momentum across the surface follows from the
    energy. Equal areas of this plane have equal probability in the microcanonical ensemble. The states are evenly spaced
    among the points of the coarsest grid that has at least n of them.

    Parameters
    ----------
    system : HamiltonianSystem
        System with two degrees of freedom, whose energy is quadratic in the momentum across the surface.
    n : int
        Number of states.
    energy : float
        Energy of the states.
    surface : (str, float), optional
        A position and its value on the surface. Defaults to ``system.surface``.
    direction : {1, -1}, default 1
        Sign of the velocity with which the orbits cross the surface.
    bounds : sequence of (low, high), optional
        Ranges of the other position and of its momentum. By default, the ranges of ``system.sample``, at this energy if
        ``sample`` has such an argument.

    Returns
    -------
    Tensor, shape ``(n, 4)``
        States in float64.

    Raises
    ------
    InputError
        If the system is of another kind, or if there are no n such states.

    Examples
    --------
    >>> import systems
    >>> z = on_section(systems.get("henon-heiles"), 4, energy=0.1)
    >>> z.shape, bool((z[:, 2] > 0).all())
    (torch.Size([4, 4]), True)
    """
    check_count(n)
    surface = system.surface if surface is None else surface
    across, other = plane_of(system, surface[0])
    if direction not in (-1, 1):
        raise InputError(f"direction must be 1 or -1, the sign of the velocity across the surface, not {direction!r}")
    if bounds is None:
        by_energy = {"energy": energy} if "energy" in inspect.signature(system.sample).parameters else {}
        known = system.sample(1000, seed=0, **by_energy)[:, [other, other + 2]]
        bounds = list(zip(known.amin(0).tolist(), known.amax(0).tolist(), strict=True))
    coarsest = math.ceil(math.sqrt(n))
    for side in range(coarsest, 10 * coarsest + 1):  # enough if a hundredth of the bounds is allowed
        z = torch.zeros(side, side, 4, dtype=torch.float64)
        cells = [low + (high - low) * (torch.arange(side, dtype=torch.float64) + 0.5) / side for low, high in bounds]
        z[..., other], z[..., other + 2] = torch.meshgrid(*cells, indexing="ij")
        z[..., across] = surface[1]
        z = z.reshape(-1, 4)
        square, linear, lowest = energy_across(system, z, across)
        left = (energy - lowest) / square
        z[:, across + 2] = left.sqrt() * direction - linear / (2 * square)
        z = z[left > 0]
        if len(z) >= n:
            return z[torch.linspace(0, len(z) - 1, n).round().long()]
    within = " and ".join(f"{low:.3g} to {high:.3g}" for low, high in bounds)
    raise InputError(
        f"{system.name} has no {n} states of energy {energy:g} where {surface[0]} = {surface[1]:g} and the other position and "
        f"its momentum lie within {within}; change the energy, the surface or bounds"
    )


def plane_of(system: HamiltonianSystem, surface: str) -> tuple[int, int]:
    """Return the index of the position that defines the surface, and the index of the other position.

    Raises InputError unless the system has two degrees of freedom and the coordinate is a position.
    """
    if not hasattr(system, "hamiltonian") or system.dim != 4:
        raise InputError(f"a grid on a section needs a Hamiltonian system with two degrees of freedom, not {system.name}")
    positions = system.coordinates[:2]
    if surface not in positions:
        raise InputError(f"the surface must fix a position, {' or '.join(positions)}, not {surface!r}")
    across = positions.index(surface)
    return across, 1 - across


def energy_across(
    system: HamiltonianSystem, z: Float[Tensor, "n 4"], across: int
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, " n"]]:
    r"""Return the coefficients a and b of the energy as a function of the momentum across the surface, and its minimum.

    .. math:: H(p) = a p^2 + b p + H(0) \ge H(0) - b^2 / 4 a

    Raises InputError if the energy is not quadratic in this momentum.
    """
    momentum = torch.zeros_like(z)
    momentum[:, across + 2] = 1.0
    rest = z * (1 - momentum)
    at_rest, forward, backward, double = (system.hamiltonian(rest + k * momentum) for k in (0, 1, -1, 2))
    square, linear = (forward + backward) / 2 - at_rest, (forward - backward) / 2
    if not torch.allclose(double, 4 * square + 2 * linear + at_rest, rtol=1e-9, atol=1e-9):
        raise InputError(
            f"the energy of {system.name} is not quadratic in {system.coordinates[across + 2]}; choose another surface"
        )
    return square, linear, at_rest - linear**2 / (4 * square)
