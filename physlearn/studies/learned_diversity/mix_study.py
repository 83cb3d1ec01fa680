"""The study of the mix: what it is held against on a task, trained for a short time and to convergence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from physlearn import models
from physlearn.activations import Activation
from physlearn.activations.learned import LearnedActivations
from physlearn.activations.table import INTERVAL, POINTS
from physlearn.comparison import Comparison, beside, joined
from physlearn.models.spline_network import hidden_of_equal_size
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.store import Asked
from physlearn.studies.learned_diversity.study import (
    COMPARING,
    FEW,
    META_SEEDS,
    REGIMES,
    Study,
    compared,
    learned,
    study,
)
from physlearn.tasks import Task

NAMED = ("gelu",)  # beside a sine, tanh and ReLU
POLYNOMIALS = ("square", "identity+square")  # which know the answer where fields are quadratic
MORE_TYPES = {"three types": 3, "five types": 5}  # in the first few of the runs
OTHER = {  # whose activations a task is given, where the model is of the same kind if there is such a task
    "van-der-pol": "henon-heiles-nn",
    "henon-heiles-nn": "van-der-pol",
    "henon-heiles-hnn": "pendulum-clock-hnn",
    "pendulum-clock-hnn": "henon-heiles-hnn",
    "mnist1d": "van-der-pol",
}
SPLINES, BASE = "splines", "silu"  # the spline network, and the base function of its connections
WAVES = 64  # of which a random function is the sum
CONVERGED: dict[bool, dict[str, Any] | None] = {
    True: None,
    False: {"tuned": True, "epochs": 60},
}  # by whether it is to be quick

Lot = tuple[Task, Sequence[Mapping[str, str | Activation]]]


def mix_study(task: Task, request: Request) -> Study:
    """Learn as many types as are asked about, and compare everything in every regime."""
    found = _regimes(task, request)
    rest, more = rivals(task, request), more_types(task, request)
    lots = ((task, rest), (task, more), (spline_task(task), _splines(request)))
    return _beside(found, request, lots, list(found.results), forecast=False)


def forecast_study(task: Task, request: Request) -> Study:
    """The learned types and what forecasts beside them: the best rivals, too, where training is short."""
    found = _regimes(task, request)
    named: list[dict[str, str | Activation]] = [{name: name for name in NAMED}] * META_SEEDS[request.quick]
    return _beside(found, request, ((task, named), (spline_task(task), _splines(request))), REGIMES[request.quick])


def rivals(task: Task, request: Request) -> list[dict[str, str | Activation]]:
    """What else the mix is held against, for each meta-seed."""
    other = learned(request, request.task(OTHER[task.name]))
    return [
        {
            **{name: name for name in (*NAMED, *POLYNOMIALS)},
            "random mix": random_functions(request.store.seed + k).mix,
            "other task's mix": mine.mix,
        }
        for k, mine in enumerate(other)
    ]


def more_types(task: Task, request: Request) -> list[dict[str, str | Activation]]:
    """Mixes of more types, for the first few meta-seeds."""
    many = {name: learned(request, task, types=types, meta_seeds=FEW) for name, types in MORE_TYPES.items()}
    return [{name: several[k].mix for name, several in many.items()} for k in range(FEW[request.quick])]


def spline_task(task: Task) -> Task:
    """The same task for a spline network with about as many weights."""
    given = task.pairs("training")
    outputs = task.classes or (1 if models.find(task.model).is_hamiltonian() else given.dim)
    return replace(task, model=f"{task.model}-splines", hidden=hidden_of_equal_size(given.dim, task.hidden, outputs))


def random_functions(seed: int, types: int = 2) -> LearnedActivations:
    """Functions that nobody learned: draws of a Gaussian process with the length scale and the variance 1.

    Each is a sum of waves of random frequencies. Source: Rahimi and Recht, Random Features for Large-Scale Kernel Machines,
    NeurIPS 2007.
    """
    generator = torch.Generator().manual_seed(seed)
    x = torch.linspace(*INTERVAL, POINTS, dtype=torch.float64)
    frequency = torch.randn(types, WAVES, 1, generator=generator, dtype=torch.float64)
    phase = 2 * math.pi * torch.rand(types, WAVES, 1, generator=generator, dtype=torch.float64)
    values = math.sqrt(2 / WAVES) * (frequency * x + phase).cos().sum(1)
    return LearnedActivations(values, base="sine", task="nothing", settings={"seed": seed})


def _regimes(task: Task, request: Request) -> Study:
    """The learned types and the traditional functions in every regime."""
    found, quick = study(task, request), request.quick
    if (longer := CONVERGED[quick]) is None:
        return found
    converged = compared(request, task, found.learned, found.single, **{**COMPARING[quick], **longer})
    return replace(found, results={**found.results, "converged": converged})


def _beside(found: Study, request: Request, lots: Iterable[Lot], names: Iterable[str], **settings: Any) -> Study:
    """With other variants beside what was found in the regimes of these names: for each task, those of each meta-seed."""
    quick, results = request.quick, dict(found.results)
    ways = {name: {"tuned": tuned} for name, tuned in REGIMES[quick].items()} | {"converged": CONVERGED[quick] or {}}
    for name in names:
        how = {**COMPARING[quick], **ways[name], **settings}
        results[name] = beside([results[name], *(_without_learned(request, task, own, how) for task, own in lots)])
    return replace(found, results=results)


def _splines(request: Request) -> list[dict[str, str | Activation]]:
    return [{SPLINES: BASE}] * META_SEEDS[request.quick]


def _without_learned(
    request: Request, task: Task, variants: Sequence[Mapping[str, str | Activation]], settings: Mapping[str, Any]
) -> Comparison:
    """One comparison over all meta-seeds of what is given for each."""
    asked = [Asked(None, None, k, {**settings, "variants": dict(own)}) for k, own in enumerate(variants)]
    return joined(request.store.comparisons(task, asked))
