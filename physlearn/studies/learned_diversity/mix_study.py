"""The study of the mix: the variants with which it is compared, trained for a short time and to convergence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from physlearn import models
from physlearn.activations import Activation
from physlearn.activations.learned import LearnedActivations
from physlearn.activations.table import INTERVAL, POINTS
from physlearn.comparison import Comparison, beside, joined
from physlearn.metalearning.pool import gaussian_process
from physlearn.models.spline_network import hidden_of_equal_size
from physlearn.studies.learned_diversity.figures import Request
from physlearn.studies.learned_diversity.results import Asked
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

NAMED = ("gelu",)  # besides a sine, tanh and ReLU
POLYNOMIALS = ("square", "identity+square")  # exact if the vector field is quadratic
MORE_TYPES = {"three types": 3, "five types": 5}  # in the first few runs
OTHER = {  # the task whose activations are tried on each task, with the same kind of model if possible
    "van-der-pol": "henon-heiles-nn",
    "henon-heiles-nn": "van-der-pol",
    "henon-heiles-hnn": "pendulum-clock-hnn",
    "pendulum-clock-hnn": "henon-heiles-hnn",
    "mnist1d": "van-der-pol",
}
SPLINES, BASE = "splines", "silu"  # name of the spline network, and the base function of its connections
CONVERGED: dict[bool, dict[str, Any] | None] = {
    True: None,
    False: {"tuned": True, "epochs": 60},
}  # by whether to be quick

Lot = tuple[Task, Sequence[Mapping[str, str | Activation]]]


def mix_study(task: Task, request: Request) -> Study:
    """Learn activations with each number of types, and compare all variants in every regime."""
    found = _regimes(task, request)
    rest, more = rivals(task, request), _more_types(task, request)
    lots = ((task, rest), (task, more), (spline_task(task), _splines(request)))
    return _beside(found, request, lots, list(found.results), forecast=False)


def forecast_study(task: Task, request: Request) -> Study:
    """Return the learned types, the best rivals, and their forecasts, in the regimes of short training."""
    found = _regimes(task, request)
    named: list[dict[str, str | Activation]] = [{name: name for name in NAMED}] * META_SEEDS[request.quick]
    return _beside(found, request, ((task, named), (spline_task(task), _splines(request))), REGIMES[request.quick])


def rivals(task: Task, request: Request) -> list[dict[str, str | Activation]]:
    """Return the further variants with which the mix is compared, for each meta-seed."""
    other = learned(request, request.task(OTHER[task.name]))
    return [
        {
            **{name: name for name in (*NAMED, *POLYNOMIALS)},
            "random mix": random_functions(request.results.seed + k).mix,
            "other task's mix": mine.mix,
        }
        for k, mine in enumerate(other)
    ]


def _more_types(task: Task, request: Request) -> list[dict[str, str | Activation]]:
    """Return mixes of more types, for the first few meta-seeds."""
    many = {name: learned(request, task, types=types, meta_seeds=FEW) for name, types in MORE_TYPES.items()}
    return [{name: several[k].mix for name, several in many.items()} for k in range(FEW[request.quick])]


def spline_task(task: Task) -> Task:
    """Return the same task for a spline network with about the same number of weights."""
    given = task.pairs("training")
    outputs = task.classes or (1 if models.find(task.model).is_hamiltonian() else given.dim)
    return replace(task, model=f"{task.model}-splines", hidden=hidden_of_equal_size(given.dim, task.hidden, outputs))


def random_functions(seed: int, types: int = 2) -> LearnedActivations:
    """Return random functions, as a control for learned ones: draws of a Gaussian process of length scale and variance 1."""
    x = torch.linspace(*INTERVAL, POINTS, dtype=torch.float64)
    values = gaussian_process(x, torch.ones(types, dtype=torch.float64), torch.Generator().manual_seed(seed))
    return LearnedActivations(values, base="sine", task="nothing", settings={"seed": seed})


def _regimes(task: Task, request: Request) -> Study:
    """Compare the learned types with the traditional functions in every regime."""
    found, quick = study(task, request), request.quick
    if (longer := CONVERGED[quick]) is None:
        return found
    converged = compared(request, task, found.learned, found.single, **{**COMPARING[quick], **longer})
    return replace(found, results={**found.results, "converged": converged})


def _beside(found: Study, request: Request, lots: Iterable[Lot], names: Iterable[str], **settings: Any) -> Study:
    """Add variants to the results of the named regimes: for each task, those of each meta-seed."""
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
    """Return one comparison of the given variants over all meta-seeds."""
    asked = [Asked(None, None, k, {**settings, "variants": dict(own)}) for k, own in enumerate(variants)]
    return joined(request.results.comparisons(task, asked))
