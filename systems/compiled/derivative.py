"""Differentiate expressions by the rules of calculus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi, sqrt
from typing import Any

from systems.compiled.expression import LOGICAL, Expression, Graph, needed, substituted

Rule = Callable[[Graph, Expression, list[Expression], list[Expression]], Expression]


def directional(results: Sequence[Expression], direction: Mapping[Expression, Expression]) -> list[Expression]:
    """Return the derivatives of some results along a direction.

    Parameters
    ----------
    results : sequence of Expression
        What is differentiated.
    direction : mapping of Expression to Expression
        The change of each variable. Variables that are missing do not change.

    Returns
    -------
    list of Expression
        The derivative of each result, from forward differentiation.
    """
    slopes: dict[int, Expression] = {variable.index: change for variable, change in direction.items()}
    for one in needed(results):
        if one.index not in slopes:
            slopes[one.index] = _slope(one, slopes)
    return [slopes[one.index] for one in results]


def jacobian(results: Sequence[Expression], variables: Sequence[Expression]) -> list[list[Expression]]:
    """Return the derivative of each result (rows) by each variable (columns)."""
    if not variables:
        return [[] for _ in results]
    one = variables[0].graph.number(1.0)
    columns = [directional(results, {variable: one}) for variable in variables]
    return [list(row) for row in zip(*columns, strict=True)]


def with_vectors(
    rates: Sequence[Expression], variables: Sequence[Expression], k: int, parameters: Sequence[Expression] = ()
) -> tuple[list[Expression], list[Expression]]:
    """Return the rates of a state and of vectors that move by the derivative of the field, and their variables.

    Parameters
    ----------
    rates, variables : sequence of Expression
        The field, and the coordinates of its state.
    k : int
        Number of deviation vectors, which are derivatives by the initial state.
    parameters : sequence of Expression
        Parameters of the field. Each has one more vector, the derivative of the state by this parameter.

    Returns
    -------
    tuple of lists
        Rates and variables. Each coordinate of the state is followed by the same coordinate of all vectors.
    """
    graph, dim, width = variables[0].graph, len(variables), k + len(parameters) + 1
    places = [[graph.variable("z", i * width + j) for j in range(width)] for i in range(dim)]
    moved = substituted(rates, {variable: place[0] for variable, place in zip(variables, places, strict=True)})
    columns = [moved]
    for j in range(1, width):
        direction = {place[0]: place[j] for place in places}
        if j > k:
            direction[parameters[j - k - 1]] = graph.number(1.0)
        columns.append(directional(moved, direction))
    return [column[i] for i in range(dim) for column in columns], [one for place in places for one in place]


def _slope(node: Expression, slopes: Mapping[int, Expression]) -> Expression:
    graph = node.graph
    zero = graph.number(0.0)
    if node.operation in ("variable", "number") or node.operation in LOGICAL or node.operation in ("sign", "floor"):
        return zero
    arguments: list[Expression] = list(node.arguments)
    changes = [slopes[argument.index] for argument in arguments]
    if all(change is zero for change in changes):
        return zero
    return _RULES[node.operation](graph, node, arguments, changes)


def _power(graph: Graph, node: Expression, arguments: list[Expression], changes: list[Expression]) -> Expression:
    base, exponent = arguments
    slope = graph.number(0.0)
    if changes[0] is not slope:
        slope = exponent * graph.apply("pow", base, exponent - 1.0) * changes[0]
    if changes[1] is not graph.number(0.0):
        slope = slope + node * graph.apply("log", base) * changes[1]
    return slope


def _select(graph: Graph, node: Expression, arguments: list[Expression], changes: list[Expression]) -> Expression:
    return graph.apply("select", arguments[0], changes[1], changes[2])


def _extreme(graph: Graph, node: Expression, arguments: list[Expression], changes: list[Expression]) -> Expression:
    """Differentiate a minimum or maximum; where both arguments are equal, the slope is the mean, as in torch."""
    smaller = graph.apply("lt", *arguments)
    larger = graph.apply("lt", *arguments[::-1])
    first, second = (smaller, larger) if node.operation == "min" else (larger, smaller)
    other = graph.apply("select", second, changes[1], (changes[0] + changes[1]) * 0.5)
    return graph.apply("select", first, changes[0], other)


def _of_one(slope: Callable[[Graph, Expression, Expression], Any]) -> Rule:
    """Return the chain rule for a function of one argument."""
    return lambda graph, node, arguments, changes: slope(graph, node, arguments[0]) * changes[0]


_RULES: dict[str, Rule] = {
    "add": lambda g, y, a, d: d[0] + d[1],
    "sub": lambda g, y, a, d: d[0] - d[1],
    "mul": lambda g, y, a, d: d[0] * a[1] + a[0] * d[1],
    "div": lambda g, y, a, d: (d[0] - y * d[1]) / a[1],
    "neg": lambda g, y, a, d: -d[0],
    "atan2": lambda g, y, a, d: (d[0] * a[1] - a[0] * d[1]) / (a[0] * a[0] + a[1] * a[1]),
    "pow": _power,
    "select": _select,
    "min": _extreme,
    "max": _extreme,
    "sqrt": lambda g, y, a, d: d[0] / (2.0 * y),
    "log": lambda g, y, a, d: d[0] / a[0],
    "log1p": lambda g, y, a, d: d[0] / (1.0 + a[0]),
    "exp": _of_one(lambda g, y, a: y),
    "expm1": _of_one(lambda g, y, a: y + 1.0),
    "sin": _of_one(lambda g, y, a: g.apply("cos", a)),
    "cos": _of_one(lambda g, y, a: -g.apply("sin", a)),
    "tan": _of_one(lambda g, y, a: 1.0 + y * y),
    "asin": _of_one(lambda g, y, a: 1.0 / g.apply("sqrt", 1.0 - a * a)),
    "acos": _of_one(lambda g, y, a: -1.0 / g.apply("sqrt", 1.0 - a * a)),
    "atan": _of_one(lambda g, y, a: 1.0 / (1.0 + a * a)),
    "sinh": _of_one(lambda g, y, a: g.apply("cosh", a)),
    "cosh": _of_one(lambda g, y, a: g.apply("sinh", a)),
    "tanh": _of_one(lambda g, y, a: 1.0 - y * y),
    "asinh": _of_one(lambda g, y, a: 1.0 / g.apply("sqrt", a * a + 1.0)),
    "acosh": _of_one(lambda g, y, a: 1.0 / g.apply("sqrt", a * a - 1.0)),
    "atanh": _of_one(lambda g, y, a: 1.0 / (1.0 - a * a)),
    "erf": _of_one(lambda g, y, a: 2.0 / sqrt(pi) * g.apply("exp", -(a * a))),
    "abs": _of_one(lambda g, y, a: g.apply("sign", a)),
}
