"""The expressions of a field written for heyoka, which makes machine code for the Taylor series of its solutions.

References
----------
Biscani and Izzo, Mon. Not. R. Astron. Soc. 504, 2614 (2021), describe heyoka.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from systems.compiled.expression import Expression, needed
from systems.compiled.field import Field, TracedField
from systems.compiled.operators import UntraceableError
from systems.compiled.source import source
from systems.extras import require

LONGEST = 100  # operations above which heyoka writes loops, because straight code takes seconds to compile
KEPT = 64  # fields whose integrators are kept

ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: a**b,
}
FUNCTIONS = (
    *("sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf"),
)
NAMES = {"floor": "floor or a remainder", "select": "where", "lt": "<", "le": "<=", "eq": "==", "ne": "!="}


def heyoka() -> Any:
    """Return the package heyoka. Raises MissingExtraError, which names the extra, if it is not installed."""
    return require("heyoka", "taylor", "engine='taylor'")


def translated(results: Sequence[Expression], scaled_after: int | None = None) -> list[Any]:
    """Return expressions as heyoka writes them.

    The variables ``z`` become heyoka's variables ``z0``, ``z1``, ..., the parameters ``p`` become ``par[0]``, ``par[1]``, ...,
    and ``t`` becomes heyoka's time.

    Parameters
    ----------
    results : sequence of Expression
        The expressions, of the variables ``t``, ``z`` and ``p``.
    scaled_after : int, optional
        If given, heyoka's variables are the coordinates in units that are the parameters from this number on.

    Returns
    -------
    list of heyoka.expression
        The same expressions.

    Raises
    ------
    UntraceableError
        If an operation has no Taylor series.
    """
    hy = heyoka()
    found: dict[int, Any] = {}
    for one in needed(results):
        if one.operation == "number":
            found[one.index] = hy.expression(float(one.arguments[0]))
        elif one.operation == "variable":
            name, place = one.arguments
            found[one.index] = _variable(hy, name, place, scaled_after)
        else:
            found[one.index] = _operation(hy, one.operation)(*(found[a.index] for a in one.arguments))
    return [found[one.index] for one in results]


def _variable(hy: Any, name: str, place: int, scaled_after: int | None) -> Any:
    if name == "t":
        return hy.time
    if name == "p":
        return hy.par[place]
    variable = hy.expression(f"z{place}")
    return variable if scaled_after is None else hy.par[scaled_after + place] * variable


def _operation(hy: Any, name: str) -> Callable[..., Any]:
    if name in ARITHMETIC:
        return ARITHMETIC[name]
    if name in FUNCTIONS:
        function: Callable[..., Any] = getattr(hy, name)
        return function
    raise UntraceableError(f"it uses {NAMES.get(name, name)}, which has no Taylor series where it jumps or has a kink")


class Series:
    """The Taylor series of the solutions of a field, and integrators that sum them.

    Integrators hold a state and parameters, so that each is used by one thread at a time. They are made when they are needed
    and kept.

    Parameters
    ----------
    field : TracedField
        The field.
    """

    def __init__(self, field: TracedField) -> None:
        self.rates, self.dim, self.cost = field.rates, field.dim, field.cost
        variables = [one.arguments for one in needed(field.rates) if one.operation == "variable"]
        self.driven = field.driven
        self._parameters = max((place + 1 for name, place in variables if name == "p"), default=0)
        self._free: dict[tuple[float, int, bool], list[Any]] = {}

    @contextmanager
    def integrator(self, tolerance: float, lanes: int, scaled: bool) -> Iterator[Any]:
        """Return a context in which an integrator of heyoka belongs to the caller.

        Parameters
        ----------
        tolerance : float
            The tolerance of a step, which determines the order of the series.
        lanes : int
            Number of orbits that are integrated side by side.
        scaled : bool
            Whether the units of the coordinates are parameters, which follow those of the field.

        Yields
        ------
        heyoka.taylor_adaptive or heyoka.taylor_adaptive_batch
            The integrator; the latter for more than one orbit.
        """
        free = self._free.setdefault((tolerance, lanes, scaled), [])
        try:
            one = free.pop()
        except IndexError:
            one = self._made(tolerance, lanes, scaled)
        try:
            yield one
        finally:
            free.append(one)

    def set_parameters(self, integrator: Any, parameters: np.ndarray) -> None:
        """Give an integrator the numbers of the field's parameters."""
        if self._parameters:
            given = parameters[: self._parameters]
            integrator.pars[: self._parameters] = given[:, None] if integrator.pars.ndim > 1 else given

    def set_units(self, integrator: Any, units: np.ndarray) -> None:
        """Give an integrator the units of the coordinates, shape ``(D, lanes)``."""
        integrator.pars[self._parameters :] = units if integrator.pars.ndim > 1 else units[:, 0]

    def _made(self, tolerance: float, lanes: int, scaled: bool) -> Any:
        hy = heyoka()
        rates = translated(self.rates, self._parameters if scaled else None)
        if scaled:
            rates = [rate / hy.par[self._parameters + i] for i, rate in enumerate(rates)]
        equations = [(hy.expression(f"z{i}"), rate) for i, rate in enumerate(rates)]
        options = {"tol": tolerance, "compact_mode": self.cost > LONGEST}
        if lanes == 1:
            return hy.taylor_adaptive(equations, state=np.zeros(self.dim), **options)
        return hy.taylor_adaptive_batch(equations, state=np.zeros((self.dim, lanes)), **options)


_by_field: WeakKeyDictionary[TracedField, Series] = WeakKeyDictionary()
_by_source: dict[str, Series] = {}  # a field that is traced anew for each call has the same source


def series_of(field: Field) -> Series:
    """Return the series of a field, which are made once. Raises UntraceableError if an operation has no Taylor series."""
    if not isinstance(field, TracedField):
        raise UntraceableError("it is not given by expressions")
    if field not in _by_field:
        code = source(field.rates)
        if code not in _by_source:
            translated(field.rates)  # raises the error
            if len(_by_source) >= KEPT:
                del _by_source[next(iter(_by_source))]
            _by_source[code] = Series(field)
        _by_field[field] = _by_source[code]
    return _by_field[field]
