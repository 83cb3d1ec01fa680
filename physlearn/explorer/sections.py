"""Poincare sections of a system and its models at the energy of one initial state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeGuard, cast

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos import Section, poincare_section
from physlearn.explorer.exploration import ACCURACY, TRUTH, Exploration
from physlearn.integrators import Flow
from physlearn.integrators.rk4 import RungeKutta4
from systems import HamiltonianSystem, IntegrationError, Orbit, System
from systems.periodic import shortest
from systems.sampling import on_section, plane_of

ORBITS = 20  # number of orbits besides that of the initial state
TIME = 400.0
STEP = 0.1  # of the models' orbits
SAMPLING = 0.05  # time between the states of a true orbit, among which its crossings are looked for
SUBSTEPS = 8  # by rk4, from a state to a crossing
GROUP = 7  # orbits that are followed together: fewer take longer in all, more let a drag wait longer
TRUE = 1e-6  # largest relative error of the energy of a true orbit


def has_section(system: System) -> TypeGuard[HamiltonianSystem]:
    """Return whether a system has a section to draw, which needs a Hamiltonian with two degrees of freedom."""
    return isinstance(system, HamiltonianSystem) and system.dim == 4


def plane_indices(system: HamiltonianSystem) -> tuple[int, int]:
    """Return the indices of the position and the momentum in whose plane a section is drawn."""
    _, other = plane_of(system, system.surface[0])
    return other, other + 2


def sections(exploration: Exploration, *, time: float = TIME, orbits: int = ORBITS) -> Iterator[tuple[str, Section]]:
    """Yield the section of the system, then that of each model, by name. Orbit 0 is that of the initial state.

    The other orbits start on a grid on the surface, at the same energy. Raises InputError if no orbit of this energy crosses
    the surface.
    """
    system, z0 = cast(HamiltonianSystem, exploration.system), starts(exploration, orbits)
    yield TRUTH, true_section(system, z0, time)
    for name, model in exploration.models.items():
        yield name, poincare_section(model, z0, time, dt=STEP, surface=system.surface)


def starts(exploration: Exploration, orbits: int = ORBITS) -> Float[Tensor, "n 4"]:
    """Return the initial state, and others of its energy on a grid on the surface of section."""
    assert exploration.energy is not None
    system = cast(HamiltonianSystem, exploration.system)
    return torch.cat([exploration.z0[None], on_section(system, orbits, exploration.energy)])


class Abandoned(Exception):  # noqa: N818 - this is not an error
    """The result of a computation is no longer wanted."""


def in_groups(
    section: Callable[[Tensor], Section], z0: Float[Tensor, "n 4"], wanted: Callable[[], bool] = lambda: True
) -> Section:
    """Return the section of all states by computing that of a few at a time, so that a drag need not wait for all.

    Raises Abandoned as soon as ``wanted`` returns False.
    """
    found = []
    for group in z0.split(GROUP):
        if not wanted():
            raise Abandoned
        found.append(section(group))
    orbit = torch.cat([part.orbit + k * GROUP for k, part in enumerate(found)])
    t, z, escaped, unresolved = (
        torch.cat([getattr(part, name) for part in found]) for name in ("t", "z", "escaped", "unresolved")
    )
    return replace(found[0], orbit=orbit, t=t, z=z, escaped=escaped, unresolved=unresolved)


def true_section(system: HamiltonianSystem, z0: Float[Tensor, "n 4"], time: float) -> Section:
    """Return the section of true orbits, which are integrated adaptively, in the direction of larger values.

    A sign change between two states starts Newton's method for the time of the crossing. Orbits that cannot be followed, or
    whose energy is not conserved to 1e-6, are unresolved and have no crossings.
    """
    name, value = system.surface
    across = system.coordinates.index(name)
    t = torch.arange(round(time / SAMPLING) + 1, dtype=torch.float64) * SAMPLING
    orbit, followed = _followed(system, z0, t)
    h = system.hamiltonian(orbit.z)
    true = followed & ((h - h[:, :1]).abs().amax(-1) <= TRUE * h[:, 0].abs())
    beyond = _beyond(system, orbit.z, across, value)
    near = beyond[:, :-1].abs().maximum(beyond[:, 1:].abs()) < system.periods.get(name, torch.inf) / 4
    number, start = ((beyond[:, :-1] < 0) & (beyond[:, 1:] >= 0) & near & true[:, None]).nonzero(as_tuple=True)
    z, at = orbit.z[number, start], t[start]
    for _ in range(4):
        wait = -_beyond(system, z, across, value) / system.vector_field(0.0, z)[:, across]
        z = _advanced(system, z, wait.clamp(-SAMPLING, SAMPLING))
        at = at + wait
    error = (system.hamiltonian(z) - h[number, 0]).abs() / h[number, 0].abs()
    true[number[(_beyond(system, z, across, value).abs() > TRUE) | ~(error <= TRUE)]] = False
    number, at, z = (found[true[number]] for found in (number, at, z))
    z = torch.where(torch.arange(4) == across, torch.as_tensor(value, dtype=z.dtype), z)
    plane = tuple(system.coordinates[i] for i in plane_indices(system))
    none = torch.zeros_like(true)
    shown = shortest(z, system.periods, system.coordinates)
    return Section(number, at, shown, none, ~true, system.coordinates, (name, value), plane)


def _followed(system: System, z0: Float[Tensor, "n 4"], t: Float[Tensor, " T"]) -> tuple[Orbit, Tensor]:
    """Return the true orbits, and which of them could be followed; the others stay where they are."""
    try:
        return system.orbit(z0, t, rtol=ACCURACY, atol=ACCURACY), torch.ones(len(z0), dtype=torch.bool)
    except IntegrationError:
        found, followed = [], []
        for start in z0:
            try:
                found.append(system.orbit(start, t, rtol=ACCURACY, atol=ACCURACY).z)
                followed.append(True)
            except IntegrationError:
                found.append(start.expand(len(t), -1))
                followed.append(False)
        return Orbit(t, torch.stack(found), coordinates=system.coordinates), torch.tensor(followed)


def _beyond(system: System, z: Float[Tensor, "*batch 4"], across: int, value: float) -> Float[Tensor, "*batch"]:
    """Return how far states are beyond the surface."""
    away = torch.zeros_like(z)
    away[..., across] = z[..., across] - value
    return shortest(away, system.periods, system.coordinates)[..., across]


def _advanced(system: System, z: Float[Tensor, "n 4"], wait: Float[Tensor, " n"]) -> Float[Tensor, "n 4"]:
    """Return states after a time shorter than SAMPLING, its own for each."""
    step = RungeKutta4(Flow.of(system)).step
    for _ in range(SUBSTEPS):
        z = step(z.new_zeros(()), z, wait[:, None] / SUBSTEPS)
    return z
