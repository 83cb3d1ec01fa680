"""A formula for a captured activation function, found by symbolic regression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from physlearn.activations.table import INTERVAL
from systems import InputError
from systems.extras import require

POINTS = 200
FUNCTIONS = ("add", "sub", "mul", "div", "neg", "sin", "cos", "tanh", "gauss")


@dataclass(frozen=True)
class Formula:
    """A formula in ``a``, its root mean square error on the interval, in units of the function, and how many parts it has."""

    text: str
    rms_error: float
    length: int


def symbolic_fit(
    function: Callable[[Tensor], Tensor],
    interval: Sequence[float] = INTERVAL,
    *,
    population: int = 1000,
    generations: int = 30,
    parsimony: float = 1e-3,
    functions: Sequence[str] = FUNCTIONS,
    seed: int = 0,
) -> Formula:
    """The best formula that genetic programming finds for a function, as an activation is, on an interval.

    population, generations: how many formulas there are, and how often they are bred. parsimony: by how much the mean square
    error must fall to pay for one more part. functions: those it is made of. The same seed finds the same formula.

    Needs the extra ``study`` (gplearn), and raises MissingExtraError without it. Raises InputError for what cannot be.
    Source: Koza, Genetic Programming (1992).
    """
    low, high = interval
    if not low < high:
        raise InputError(f"the interval of a fit goes from low to high, not {tuple(interval)}")
    if unknown := [name for name in functions if name not in FUNCTIONS]:
        raise InputError(f"a formula is made of {', '.join(FUNCTIONS)}, not of {unknown[0]!r}")
    if min(population, generations) < 1:
        raise InputError(f"a fit needs formulas and generations of them, not {population} and {generations}")
    require("gplearn", "study", "a symbolic fit")
    from gplearn.functions import make_function
    from gplearn.genetic import SymbolicRegressor

    own = {
        "tanh": make_function(function=np.tanh, name="tanh", arity=1),
        "gauss": make_function(function=_gauss, name="gauss", arity=1),
    }
    a = torch.linspace(low, high, POINTS, dtype=torch.float64)
    with torch.no_grad():
        truth = function(a).double().numpy()
    search = SymbolicRegressor(
        population_size=population,
        generations=generations,
        function_set=[own.get(name, name) for name in functions],
        parsimony_coefficient=parsimony,
        const_range=(-3.0, 3.0),
        feature_names=["a"],
        metric="mse",
        random_state=seed,
    )
    search.fit(a.numpy()[:, None], truth)
    off = float(np.sqrt(np.mean((search.predict(a.numpy()[:, None]) - truth) ** 2)))
    return Formula(str(search._program), off, len(search._program.program))


def _gauss(x: np.ndarray) -> np.ndarray:
    bell: np.ndarray = np.exp(-(np.minimum(np.abs(x), 20.0) ** 2))
    return bell
