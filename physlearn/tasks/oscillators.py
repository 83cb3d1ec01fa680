"""A task with several oscillators in one training set, which are distinguished by labels; one network learns all fields."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import one_hot

import systems
from physlearn import metrics
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import SHARES, check_settings, seed_of
from physlearn.tasks.task import Forecasting, Task
from systems import Orbit, System

OSCILLATORS = ("van-der-pol", "pendulum", "duffing", "fitzhugh-nagumo")
STEP = 0.05
FOLLOWED = 25.0
ROLLED_OUT = 2  # number of forecast orbits per oscillator


@register("oscillators")
def oscillators(orbits: int = 200, seed: int = 0) -> Task:
    """Return a task in which a network learns four oscillators: a limit cycle, a pendulum, a double well and a nerve cell.

    A state is (x, v) with one constant label per oscillator, which is 1 for the oscillator of the orbit and 0 for the others.

    Parameters
    ----------
    orbits
        Number of orbits in each training part, of all oscillators together.
    seed
        Random seed of the initial states.

    Returns
    -------
    Task
        The task ``"oscillators"``.
    """
    check_settings(orbits, seed)
    members = [systems.get(name) for name in OSCILLATORS]

    def of_part(part: str) -> Orbit:
        each = max(1, round(SHARES[part] * orbits / len(members)))
        return _together(members, each, torch.arange(50, dtype=torch.float64) * STEP, seed_of(part, seed))

    def forecasting() -> Forecasting:
        t, first = torch.arange(round(FOLLOWED / STEP) + 1, dtype=torch.float64) * STEP, seed_of("test", seed)
        horizons = [metrics.truth_horizon(system, system.sample(ROLLED_OUT, seed=first), t) for system in members]
        return Forecasting(_together(members, ROLLED_OUT, t, first), ("euler", "rk4"), horizon=torch.cat(horizons))

    return Task(
        name="oscillators",
        title="four oscillators in one training set, by a network of their vector fields",
        model="nn",
        learning={"variant": "two-stage"},
        data=of_part,
        forecasting=forecasting,
    )


def _together(members: Sequence[System], each: int, t: Float[Tensor, " T"], seed: int) -> Orbit:
    """Return ``each`` orbits of each system, with its label."""
    labels = one_hot(torch.arange(len(members))).double()
    states, rates = [], []
    for system, label in zip(members, labels, strict=True):
        z = system.orbit(system.sample(each, seed=seed), t).z
        states.append(torch.cat([z, label.expand(*z.shape[:-1], -1)], dim=-1))
        rates.append(torch.cat([system.vector_field(0.0, z), torch.zeros_like(states[-1][..., z.shape[-1] :])], dim=-1))
    return Orbit(
        t=t,
        z=torch.cat(states),
        rate=torch.cat(rates),
        coordinates=("x", "v", *(f"is_{system.name}" for system in members)),
        provenance={"systems": [{"system": system.name, "parameters": system.parameters} for system in members]},
    )
