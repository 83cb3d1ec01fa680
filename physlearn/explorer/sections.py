"""Poincare sections of a system and of its models, at the energy of one initial state."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from physlearn.chaos import Section, poincare_section
from physlearn.explorer.exploration import TRUTH, Exploration
from physlearn.explorer.interruptible import while_wanted
from physlearn.flow import FlowLike
from systems import HamiltonianSystem, System
from systems.sampling import on_section

ORBITS = 20  # beside that of the initial state
TIME = 400.0
STEP = 0.1


def has_section(system: System) -> bool:
    """Whether there is one to draw: of a Hamiltonian of two degrees of freedom."""
    return isinstance(system, HamiltonianSystem) and system.dim == 4


def sections(
    exploration: Exploration, wanted: Callable[[], bool] = lambda: True, *, time: float = TIME, orbits: int = ORBITS
) -> Iterator[tuple[str, Section]]:
    """The section of the system, then that of each model, by name: orbit 0 is that of the initial state.

    The others begin on a grid on the surface, at the same energy. wanted: is asked all the while; when it says no, Abandoned
    is raised. Raises InputError where the energy allows no orbits on the surface.
    """
    system, energy = exploration.system, exploration.energy
    assert energy is not None
    z0 = torch.cat([exploration.z0[None], on_section(system, orbits, energy)])
    flows: dict[str, FlowLike] = {TRUTH: system, **exploration.models}
    for name, flow in flows.items():
        yield name, poincare_section(while_wanted(flow, wanted), z0, time, dt=STEP, surface=system.surface)
