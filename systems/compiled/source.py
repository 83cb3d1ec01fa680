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

HEADER = '''"""Expressions of a function that was traced, written by physlearn. Nothing is lost when this file is deleted."""

import math

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
    if lanes == 1:
        return HEADER + _indented(statements(results), 1)
    parameters = [one for one in needed(results) if one.operation == "variable" and one.arguments[0] == "p"]
    before = [f"v{one.index} = p[{one.arguments[1]}]" for one in parameters]
    inside = statements(results, lanes)
    return HEADER + _indented([*before, f"for lane in range({lanes}):"], 1) + _indented(inside, 2)


def statements(results: Sequence[Expression], lanes: int = 1) -> list[str]:
    """Return one assignment for each operation, followed by those of the results."""
    lines, names = [], {}
    for one in needed(results):
        names[one.index] = name = f"v{one.index}"
        if one.operation == "variable":
            array, place = one.arguments
            if array == "t":
                names[one.index] = "t"
            elif array == "z" or lanes == 1:
                lines.append(f"{name} = {array}[{_place(place, lanes) if array == 'z' else place}]")
        elif one.operation == "number":
            names[one.index] = _literal(one.arguments[0])
        else:
            lines.append(f"{name} = {_written(one, names)}")
    # all arguments are read before the first result is written, so that the result may take the place of an argument
    return lines + [f"out[{_place(place, lanes)}] = {names[one.index]}" for place, one in enumerate(results)]


def _place(place: int, lanes: int) -> str:
    return str(place) if lanes == 1 else f"{place * lanes} + lane"


def _indented(lines: Sequence[str], depth: int) -> str:
    return "".join(f"{'    ' * depth}{line}\n" for line in lines)


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
