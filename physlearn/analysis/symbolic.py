"""Find a formula for a captured activation function by symbolic regression."""

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
    """A formula from symbolic regression.

    Parameters
    ----------
    text
        The formula, in the variable ``a``.
    rms_error
        Root mean square error on the interval, in units of the function.
    length
        Number of parts (functions, variables and constants) of the formula.
    """

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
    """Find a formula for a function on an interval by genetic programming.

    This needs gplearn, which the extra ``study`` installs.

    Parameters
    ----------
    function
        Elementwise function, such as an activation.
    interval
        Ends of the interval, the lower one first; (-10, 10) by default.
    population
        Number of formulas in a generation.
    generations
        Number of generations.
    parsimony
        Decrease of the mean square error that justifies one more part of the formula.
    functions
        Names of the functions that a formula may contain.
    seed
        Random seed; the result is reproducible.

    Returns
    -------
    Formula
        The best formula.

    Raises
    ------
    InputError
        If an argument is invalid.
    MissingExtraError
        If gplearn is not installed.

    References
    ----------
    Koza, Genetic Programming (1992).
    """
    low, high = interval
    if not low < high:
        raise InputError(f"the interval of a fit must have its lower end first, not {tuple(interval)}")
    if unknown := [name for name in functions if name not in FUNCTIONS]:
        raise InputError(f"a formula can contain {', '.join(FUNCTIONS)}, but not {unknown[0]!r}")
    if min(population, generations) < 1:
        raise InputError(f"population and generations must be at least 1, not {population} and {generations}")
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
