"""Poincare sections of a system and its models at the energy of one initial state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeGuard, cast

import torch

from physlearn.chaos import Section, poincare_section
from physlearn.explorer.exploration import TRUTH, Exploration
from physlearn.explorer.interruptible import Abandoned, while_wanted
from physlearn.flow import FlowLike
from systems import HamiltonianSystem, System
from systems.sampling import on_section

ORBITS = 20  # number of orbits besides that of the initial state
TIME = 400.0
STEP = 0.1


def has_section(system: System) -> TypeGuard[HamiltonianSystem]:
    """Return whether a system has a section to draw, which needs a Hamiltonian with two degrees of freedom."""
    return isinstance(system, HamiltonianSystem) and system.dim == 4


def sections(
    exploration: Exploration, wanted: Callable[[], bool] = lambda: True, *, time: float = TIME, orbits: int = ORBITS
) -> Iterator[tuple[str, Section]]:
    """Yield the section of the system, then that of each model, by name. Orbit 0 is that of the initial state.

    The other orbits start on a grid on the surface, at the same energy. Abandoned is raised as soon as ``wanted`` returns
    False. Raises InputError if no orbit of this energy crosses the surface.
    """
    system, energy = exploration.system, exploration.energy
    assert energy is not None
    z0 = torch.cat([exploration.z0[None], on_section(cast(HamiltonianSystem, system), orbits, energy)])
    flows: dict[str, FlowLike] = {TRUTH: system, **exploration.models}
    for name, flow in flows.items():
        if not wanted():  # a compiled flow is not interrupted
            raise Abandoned
        yield name, poincare_section(while_wanted(flow, wanted), z0, time, dt=STEP, surface=system.surface)
