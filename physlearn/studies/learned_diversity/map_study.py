"""The map of learned diversity: on which systems, and at which widths, two types of neurons are better than any one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from physlearn import tasks
from physlearn.activations import Activation
from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning import SearchSettings
from physlearn.metalearning.pool import DICTIONARY
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.results import Asked
from physlearn.tasks import Task

FIRST = 4000  # first seed of the scored data and runs; smaller ones served to develop the search
LEARNING_RATES = (0.005, 0.01, 0.02, 0.04, 0.07, 0.12, 0.2, 0.35, 0.6, 1.0)
SEEDS = {True: 2, False: 8}  # runs of every cell, by whether to be quick
FEW = {True: 0, False: 3}  # runs of the slow controls
PLACES = 2  # of each part of the map, if it has to be quick
REPLICATES = {True: 10, False: 50}
TUNING: dict[str, Any] = {"tuned_by": "geometric mean", "tuning_replicates": 24, "learning_rates": LEARNING_RATES}
LEARNING: dict[bool, dict[str, Any]] = {True: {"candidates": 64, "outer_steps": 4, "networks": 8}, False: {}}
EQUAL = 1.7  # candidates of screening alone, relative to those of a search, so that both take as many network-steps
PAIR, SINGLE = "pair", "single"
SEARCHED: dict[str, dict[str, Any]] = {
    PAIR: {"variant": "search", "types": 2},
    SINGLE: {"variant": "search", "types": 1},
    "screened single": {"variant": "screening", "types": 1},
    "named pair": {"variant": "named", "types": 2},
}
SLOW: dict[str, dict[str, Any]] = {
    "screened pair": {"variant": "screening", "types": 2},
    "random pair": {"variant": "random-search", "types": 2},
}
TRAINED = ("trained:combination", "trained:combination-per-neuron", "trained:fourier", "trained:rational")
NAMED = (*DICTIONARY, "relu")
TWO_KINDS = ("screened pair", "random pair", "named pair")  # rivals that mix two functions; all others have one kind of neuron


@dataclass(frozen=True)
class Cell:
    """One place of the map: a system, the width of its networks, and the data that they have."""

    system: str
    width: int
    model: str | None = None
    orbits: int = 200
    noise: float = 0.0
    dt: float = 0.1

    @property
    def name(self) -> str:
        """The system, and what differs from the default."""
        model = "" if self.model is None else f", {self.model}"
        data = "" if self.orbits == 200 else f", {self.orbits} orbits"
        return f"{self.system}{model}{data}" + (f", {self.noise:.0%} noise" if self.noise else "")

    def task(self, seed: int) -> Task:
        """Return the task with the data of a seed."""
        settings: dict[str, Any] = {"model": self.model, "orbits": self.orbits, "noise": self.noise, "dt": self.dt}
        return tasks.get("system", system=self.system, hidden=(self.width,), seed=seed, **settings)


SYSTEMS = (
    Cell("pendulum", 8),
    Cell("elastic-pendulum", 8),
    Cell("van-der-pol", 8),
    Cell("toda-ring", 8),
    Cell("lotka-volterra", 8),
    Cell("duffing", 8),
    Cell("henon-heiles", 8),
    Cell("double-pendulum", 8, dt=0.04),
)
FIELDS = (  # each the sum of a linear part and one other function
    Cell("pendulum", 8, "nn"),
    Cell("duffing", 8, "nn"),
    Cell("henon-heiles", 8, "nn"),
    Cell("fitzhugh-nagumo", 8, "nn"),
    Cell("lorenz", 8, "nn", dt=0.02),
)
WIDTHS = (4, 16, 100)
ACROSS = ("pendulum", "elastic-pendulum", "van-der-pol")  # systems that are tried at all widths, and with other data
DATA: tuple[dict[str, Any], ...] = ({"orbits": 20}, {"noise": 0.01})


def cells(part: str) -> list[Cell]:
    """Return the cells of a part of the map: ``"systems"``, ``"fields"``, ``"widths"`` or ``"data"``."""
    across = [cell for cell in SYSTEMS if cell.system in ACROSS]
    if part == "widths":
        return [replace(cell, width=width) for cell in across for width in WIDTHS]
    if part == "data":
        return [replace(cell, **how) for cell in across for how in DATA]
    return list(FIELDS if part == "fields" else SYSTEMS)


def searched(cell: Cell, request: Request, seed: int) -> dict[str, LearnedActivations]:
    """Return what every search finds on the data of a seed; the slow controls belong to the first few seeds."""
    task, found = cell.task(seed), {}
    controls = SLOW if seed < FIRST + FEW[request.quick] else {}
    for name, how in (SEARCHED | controls).items():
        settings = {**LEARNING[request.quick], **how}
        if how["variant"] == "screening":
            settings["candidates"] = round(EQUAL * settings.get("candidates", SearchSettings.candidates))
        found[name] = request.results.learned(task, seed, **settings)
    return found


def scored(cell: Cell, request: Request, seed: int) -> pd.DataFrame:
    """Return the test loss of every network of every variant, for the data of a seed."""
    found = searched(cell, request, seed)
    variants: dict[str, str | Activation] = {name: one.mix for name, one in found.items()}
    variants["named pair"] = found["named pair"].base  # the functions themselves, not their tables
    variants |= {name: name for name in NAMED}
    if seed < FIRST + FEW[request.quick]:
        variants |= {name: name for name in TRAINED}
    how: Mapping[str, Any] = {"replicates": REPLICATES[request.quick], "forecast": False, **TUNING}
    asked = [Asked(None, None, seed, {**how, "variants": {name: one}}) for name, one in variants.items()]
    results = request.results.comparisons(cell.task(seed), asked)
    table = pd.concat([result.table for result in results], ignore_index=True)
    names = {name: one.settings["found"] for name, one in found.items()}
    return table.assign(cell=cell.name, width=cell.width, meta_seed=seed, found=table["variant"].map(names))


def scores(part: str, request: Request, some: Sequence[Cell] | None = None) -> pd.DataFrame:
    """Return the scores of all networks of a part of the map."""
    rows = []
    places = list(cells(part) if some is None else some)[: PLACES if request.quick else None]
    runs = SEEDS[request.quick] if part in ("systems", "fields") or request.quick else FEW[False]
    for k in range(runs):
        rows += [scored(cell, request, FIRST + k) for cell in places]
    return pd.concat(rows, ignore_index=True)
