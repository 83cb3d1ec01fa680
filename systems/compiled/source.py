"""Write expressions as the source code of a function that numba compiles."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf, isnan

from systems.compiled.expression import Expression, needed

INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "lt": "<",
    "le": "<=",
    "eq": "==",
    "ne": "!=",
    "and": "and",
    "or": "or",
}
CALLS = {"abs": "abs", "pow": "pow", "sin": "sine", "cos": "cosine", "exp": "exponential"} | {
    name: f"math.{name}"
    for name in (
        *("sqrt", "expm1", "log", "log1p", "tan", "asin", "acos", "atan", "atan2"),
        *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "floor"),
    )
}

ARRAYS = ("z", "p", "f")  # the state, the parameters, and the force that is kept between steps

HEADER = '''"""Expressions of a function that was traced, written by physlearn. Nothing is lost when this file is deleted."""

import math

import numpy as np

from systems.compiled.elementary import cosine, exponential, sine
from systems.compiled.signature import pointer


@pointer
def function(t, z, p, out):
'''


def source(results: Sequence[Expression], lanes: int = 1) -> str:
    """Return the source of a module whose ``function(t, z, p, out)`` writes the values of some expressions into ``out``.

    Parameters
    ----------
    results : sequence of Expression
        The expressions, of the variables ``t``, ``z`` and ``p``.
    lanes : int, default 1
        Number of states for which they are computed at once. The arrays ``z`` and ``out`` hold each coordinate for all states,
        one coordinate after another.

    Returns
    -------
    str
        The source of the module.
    """
    inside = statements(results, lanes)
    if lanes == 1:
        return module([*parameters(results), *inside])
    return module([*parameters(results), *nested(f"for lane in range({lanes}):", inside)])


def module(lines: Sequence[str]) -> str:
    """Return the source of a module whose ``function(t, z, p, out)`` consists of these lines."""
    return HEADER + "".join(f"    {line}\n" for line in lines)


def nested(head: str, lines: Sequence[str]) -> list[str]:
    """Return the head of a loop or branch, and the lines inside of it."""
    return [head, *(f"    {line}" for line in lines)]


def parameters(results: Sequence[Expression], first: int = 0) -> list[str]:
    """Return the lines that read the parameters of some expressions from ``p``, in which they begin at ``first``."""
    return [f"p{place} = p[{first + place}]" for name, place in _variables(results) if name == "p"]


def statements(results: Sequence[Expression], lanes: int = 1) -> list[str]:
    """Return the lines that read a state, one assignment for each operation, and the assignments of the results."""
    before = [f"z{place} = z[{at(place, lanes)}]" for name, place in _variables(results) if name == "z"]
    lines, values = assignments(results)
    # all arguments are read before the first result is written, so that the result may take the place of an argument
    return [*before, *lines, *(f"out[{at(place, lanes)}] = {value}" for place, value in enumerate(values))]


def assignments(results: Sequence[Expression]) -> tuple[list[str], list[str]]:
    """Return one assignment for each operation, and the names or numbers of the results.

    Variables have their own names. The names of arrays, such as ``z`` and ``p``, are followed by a number.
    """
    lines, names = [], {}
    for one in needed(results):
        if one.operation == "variable":
            name, place = one.arguments
            names[one.index] = f"{name}{place}" if name in ARRAYS else name
        elif one.operation == "number":
            names[one.index] = _literal(one.arguments[0])
        else:
            names[one.index] = name = f"v{one.index}"
            lines.append(f"{name} = {_written(one, names)}")
    return lines, [names[one.index] for one in results]


def _variables(results: Sequence[Expression]) -> list[tuple[str, int]]:
    return [one.arguments for one in needed(results) if one.operation == "variable"]


def at(place: int, lanes: int) -> str:
    """Return the index of a coordinate in an array of states side by side."""
    return str(place) if lanes == 1 else f"{place * lanes} + lane"


def _written(one: Expression, names: dict[int, str]) -> str:
    arguments = [names[argument.index] for argument in one.arguments]
    if one.operation in INFIX:
        return f"{arguments[0]} {INFIX[one.operation]} {arguments[1]}"
    if one.operation in CALLS:
        return f"{CALLS[one.operation]}({', '.join(arguments)})"
    first = arguments[0]
    if one.operation == "neg":
        return f"-{first}"
    if one.operation == "not":
        return f"not {first}"
    if one.operation == "sign":
        return f"(1.0 if {first} > 0.0 else (-1.0 if {first} < 0.0 else 0.0))"
    if one.operation == "select":
        return f"({arguments[1]} if {first} else {arguments[2]})"
    if one.operation == "min":
        return f"({first} if {first} < {arguments[1]} else {arguments[1]})"
    if one.operation == "max":
        return f"({first} if {first} > {arguments[1]} else {arguments[1]})"
    raise ValueError(f"there is no code for the operation {one.operation!r}")


def _literal(value: float | bool) -> str:
    if isinstance(value, bool):
        return repr(value)
    if isnan(value):
        return "math.nan"
    if isinf(value):
        return "math.inf" if value > 0 else "(-math.inf)"
    return repr(value) if value >= 0 and not repr(value).startswith("-") else f"({value!r})"
