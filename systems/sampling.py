"""Initial states: boxes, annuli, the microcanonical ensemble, and a grid on a section."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems.errors import InputError
from systems.scalars import seeded
from systems.size import check_memory

FEWEST_NUMBERS = 4  # of a state of two coordinates, and what it is drawn from
MANY = 10**300  # more than a format can write

Bounds = Sequence[tuple[float, float]]


def check_count(n: int) -> None:
    """Raise InputError for a number of states below one, or of more than fit in memory."""
    if n < 1:
        raise InputError(f"the number of initial states must be at least 1, not {n}")
    check_memory(FEWEST_NUMBERS * n, f"{n:g} initial states" if n < MANY else "so many initial states")


def generator(n: int, seed: int) -> torch.Generator:
    """The random numbers of a seed, for n states. Raises InputError for a count below one."""
    check_count(n)
    return seeded(seed)


def box(n: int, bounds: Bounds, seed: int) -> Float[Tensor, "n D"]:
    """Uniform in a box, bounds giving (low, high) of each coordinate."""
    low, high = torch.tensor(bounds, dtype=torch.float64).T
    return low + (high - low) * torch.rand(n, len(bounds), generator=generator(n, seed), dtype=torch.float64)


def annulus(n: int, inner: float, outer: float, seed: int) -> Float[Tensor, "n 2"]:
    """Uniform over the area of a plane annulus around the origin."""
    if not 0 <= inner < outer:
        raise InputError(f"an annulus needs 0 <= inner < outer radius, not {inner} and {outer}")
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
    """States of two degrees of freedom with H = p^2/2 + V(q), uniform over each energy surface.

    In two dimensions the Liouville measure on the surface is uniform in q over the allowed region V(q) < E, and uniform in
    the direction of p. ``bounds`` is a box around the allowed region, ``inside`` tells the well from regions beyond it
    that have V < E too.
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
    system: Any,
    n: int,
    energy: float,
    *,
    surface: tuple[str, float] | None = None,
    direction: int = 1,
    bounds: Bounds | None = None,
) -> Float[Tensor, "n 4"]:
    """n states of one energy on a surface of section, on a regular grid over the part of it that the energy allows.

    The surface is where a position has a value; the grid is laid over the other position and its momentum, and the momentum
    across, upwards or downwards as the direction says, follows from the energy. Equal areas of this plane are equally
    likely in the microcanonical ensemble. surface: a position and its value, by default the system's usual one. bounds: (low,
    high) of the other position and of its momentum, by default those of ``system.sample``, at this energy if it can. Of the
    coarsest grid with n points, n are taken, evenly.

    system: Hamiltonian, of two degrees of freedom, its energy quadratic in the momentum across.
    Raises InputError for any other, and for arguments that allow no such states.

    >>> import systems
    >>> z = on_section(systems.get("henon-heiles"), 4, energy=0.1)
    >>> z.shape, bool((z[:, 2] > 0).all())
    (torch.Size([4, 4]), True)
    """
    check_count(n)
    surface = system.surface if surface is None else surface
    across, other = plane_of(system, surface[0])
    if direction not in (-1, 1):
        raise InputError(f"direction must be 1 or -1, the sense in which the surface is crossed, not {direction!r}")
    if bounds is None:
        by_energy = {"energy": energy} if "energy" in inspect.signature(system.sample).parameters else {}
        known = system.sample(1000, seed=0, **by_energy)[:, [other, other + 2]]
        bounds = list(zip(known.amin(0).tolist(), known.amax(0).tolist(), strict=True))
    coarsest = math.ceil(math.sqrt(n))
    for side in range(coarsest, 10 * coarsest + 1):  # as long as the allowed part is a hundredth of the bounds
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
        f"its momentum are within {within}"
    )


def plane_of(system: Any, surface: str) -> tuple[int, int]:
    """The index of the position that makes the surface, and that of the other.

    Raises InputError for other than two degrees of freedom, or a coordinate that is no position.
    """
    if not hasattr(system, "hamiltonian") or system.dim != 4:
        raise InputError(f"a grid on a section needs a Hamiltonian of two degrees of freedom, which {system.name} has not")
    positions = system.coordinates[:2]
    if surface not in positions:
        raise InputError(f"the surface is where a position, {' or '.join(positions)}, has a value, not {surface!r}")
    across = positions.index(surface)
    return across, 1 - across


def energy_across(
    system: Any, z: Float[Tensor, "n 4"], across: int
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, " n"]]:
    r"""The energy as a function of the momentum across: coefficients of its square and of itself, and the lowest energy.

    .. math:: H(p) = a p^2 + b p + H(0) \ge H(0) - b^2 / 4 a

    Raises InputError where it is not quadratic.
    """
    momentum = torch.zeros_like(z)
    momentum[:, across + 2] = 1.0
    rest = z * (1 - momentum)
    at_rest, forward, backward, double = (system.hamiltonian(rest + k * momentum) for k in (0, 1, -1, 2))
    square, linear = (forward + backward) / 2 - at_rest, (forward - backward) / 2
    if not torch.allclose(double, 4 * square + 2 * linear + at_rest, rtol=1e-9, atol=1e-9):
        raise InputError(f"the energy of {system.name} is not quadratic in {system.coordinates[across + 2]}")
    return square, linear, at_rest - linear**2 / (4 * square)
