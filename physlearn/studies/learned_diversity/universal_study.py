"""Can two neuron types serve every system? They are learned on a family of systems, and scored on others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from physlearn import tasks
from physlearn.activations import Activation
from physlearn.activations.learned import LearnedActivations
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.results import Asked
from physlearn.tasks import Task
from systems import IntegrationError, System, get, of_dysts

SEED = 6000  # of the draw of the systems, their data, the searches and the networks
FLOWS = {True: (2, 2), False: (9, 35)}  # dissipative flows that are learned from, and that are tested, by whether to be quick
ENERGIES = {True: (1, 1), False: (3, 5)}  # the same of Hamiltonian systems
HAMILTONIAN = ("double-pendulum", "duffing", "elastic-pendulum", "henon-heiles", "lotka-volterra", "pendulum",
               "tao-oscillator", "toda-ring")  # fmt: skip
OURS = ("dysts:Lorenz", "dysts:HenonHeiles", "dysts:SwingingAtwood", "dysts:NuclearQuadrupole")  # ours too, or Hamiltonian
STATES = 20  # states in a cycle of the attractor
WIDTH = 32
FORECAST = 4  # lengths of a training orbit, which is 50 states
SEARCH: dict[bool, dict[str, Any]] = {
    True: {"candidates": 64, "outer_steps": 2, "networks": 4},
    False: {"candidates": 128, "outer_steps": 12, "networks": 8},
}
LEARNED: dict[str, dict[str, Any]] = {
    "pair": {"variant": "search", "types": 2},
    "single": {"variant": "search", "types": 1},
    "named pair": {"variant": "named", "types": 2},
}
USUAL = ("tanh", "gelu", "silu")
NAMED = (*USUAL, "sine")
HOW: dict[str, Any] = {"tuned_by": "geometric mean", "tuning_replicates": 8,
                       "learning_rates": (0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3)}  # fmt: skip
REPLICATES = {True: 4, False: 16}


def drawn(quick: bool = False) -> tuple[list[System], list[System]]:
    """Return the systems that are learned from, and those that are tested, in random order."""
    random = np.random.default_rng(SEED)
    flows = _followed(random.permutation([name for name in of_dysts.names() if name not in OURS]).tolist())
    energies = [get(name) for name in random.permutation(HAMILTONIAN).tolist()]
    learned, tested = [], []
    for pool, (few, many) in ((flows, FLOWS[quick]), (iter(energies), ENERGIES[quick])):
        learned += list(islice(pool, few))
        tested += list(islice(pool, many))
    return learned, tested


def _followed(names: list[str]) -> Iterator[System]:
    """Yield the flows whose orbits can be followed from their own initial states."""
    for name in names:
        flow = get(name)
        try:
            flow.sample(20, seed=SEED)
        except IntegrationError:
            continue
        yield flow


def task_of(system: System) -> Task:
    """Return the task of a system, with the data of the study."""
    dt = system.cycle / STATES if isinstance(system, of_dysts.DystsFlow) else 0.04 if system.name == "double-pendulum" else 0.1
    return tasks.get("system", system=system, hidden=(WIDTH,), seed=SEED, dt=dt, forecast=FORECAST)


def searched(request: Request, systems: Sequence[System]) -> dict[str, LearnedActivations]:
    """Return what each search finds on a family of systems."""
    family, settings = [task_of(system) for system in systems], SEARCH[request.quick]
    return {name: request.results.learned(family, SEED, **{**settings, **how}) for name, how in LEARNED.items()}


def scored(request: Request, system: System, found: Mapping[str, LearnedActivations]) -> pd.DataFrame:
    """Return the test loss and the valid time of every network of every variant, on one system."""
    variants: dict[str, str | Activation] = {"pair": found["pair"].mix, "single": found["single"].mix,
                                             "named pair": found["named pair"].base}  # fmt: skip
    variants |= {name: name for name in NAMED}
    settings = {**HOW, "replicates": REPLICATES[request.quick], "variants": variants}
    (result,) = request.results.comparisons(task_of(system), [Asked(None, None, SEED, settings)])
    table = result.table
    (valid,) = [name for name in map(str, table) if name.startswith("valid_time_")]
    names = {name: one.settings["found"] for name, one in found.items()}
    kept = table[["variant", "replicate", "loss", "diverged", "learning_rate"]]
    return kept.assign(valid_time=table[valid], system=system.name, found=table["variant"].map(names))


def scores(request: Request, systems: Sequence[System], found: Mapping[str, LearnedActivations]) -> pd.DataFrame:
    """Return the scores on several systems."""
    return pd.concat([scored(request, system, found) for system in systems], ignore_index=True)
