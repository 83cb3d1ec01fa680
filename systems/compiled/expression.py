"""Scalar expressions: shared, folded, and small enough to be written as code.

An expression is a node of a graph without circles. Equal expressions are one node, so that nothing is computed twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeGuard

import numpy as np

COMMUTATIVE = {"add", "mul", "min", "max", "and", "or", "eq", "ne"}
LOGICAL = {"lt", "le", "eq", "ne", "and", "or", "not"}  # operations whose values are true or false
MOST = 200_000  # operations of a graph; even tracing more takes seconds
LARGEST_POWER = 16  # larger whole powers are computed by pow


class Expression:
    """An operation and its arguments, which are other expressions; the name of a variable; or a number.

    Arithmetic with expressions and numbers gives expressions. Create expressions by the methods of a `Graph`.
    """

    __slots__ = ("arguments", "graph", "index", "operation")

    def __init__(self, graph: Graph, index: int, operation: str, arguments: tuple[Any, ...]) -> None:
        self.graph, self.index, self.operation, self.arguments = graph, index, operation, arguments

    @property
    def logical(self) -> bool:
        """Whether the value is true or false."""
        return self.operation in LOGICAL or (self.operation == "number" and isinstance(self.arguments[0], bool))

    def __repr__(self) -> str:
        return f"{self.operation}({', '.join(map(repr, self.arguments))})"

    def __add__(self, other: Value) -> Expression:
        return self.graph.apply("add", self, other)

    def __sub__(self, other: Value) -> Expression:
        return self.graph.apply("sub", self, other)

    def __mul__(self, other: Value) -> Expression:
        return self.graph.apply("mul", self, other)

    def __truediv__(self, other: Value) -> Expression:
        return self.graph.apply("div", self, other)

    def __radd__(self, other: Value) -> Expression:
        return self.graph.apply("add", other, self)

    def __rsub__(self, other: Value) -> Expression:
        return self.graph.apply("sub", other, self)

    def __rmul__(self, other: Value) -> Expression:
        return self.graph.apply("mul", other, self)

    def __rtruediv__(self, other: Value) -> Expression:
        return self.graph.apply("div", other, self)

    def __neg__(self) -> Expression:
        return self.graph.apply("neg", self)


Value = Expression | float | bool


class Graph:
    """A set of expressions, in which equal ones are the same object, numbered in the order of their creation."""

    def __init__(self) -> None:
        self.nodes: list[Expression] = []
        self._known: dict[tuple[Any, ...], Expression] = {}

    def variable(self, name: str, place: int = 0) -> Expression:
        """Return a variable: element ``place`` of the array ``name``, or the number of this name."""
        return self._node("variable", (name, place))

    def number(self, value: float | bool) -> Expression:
        """Return a number, which is true or false if it is a Boolean."""
        return self._node("number", (bool(value) if isinstance(value, bool | np.bool_) else float(value),))

    def apply(self, operation: str, *values: Value) -> Expression:
        """Return the value of an operation, simplified where that leaves its value unchanged."""
        arguments = tuple(value if isinstance(value, Expression) else self.number(value) for value in values)
        if operation not in LOGICAL | {"select"}:
            arguments = tuple(self.real(one) for one in arguments)
        if (simple := _simplified(self, operation, arguments)) is not None:
            return simple
        if operation in COMMUTATIVE:
            arguments = tuple(sorted(arguments, key=lambda one: one.index))
        return self._node(operation, arguments)

    def real(self, value: Expression) -> Expression:
        """Return the value as a real number: 1 for true, and 0 for false."""
        return self.apply("select", value, 1.0, 0.0) if value.logical else value

    def power(self, base: Expression, exponent: float) -> Expression:
        """Return a power with a fixed exponent, by multiplications and square roots where that is possible."""
        if exponent == 0:
            return self.number(1.0)
        if exponent < 0 and 2 * exponent == int(2 * exponent):
            return 1.0 / self.power(base, -exponent)
        whole = int(exponent)
        if whole == exponent and whole <= LARGEST_POWER:
            half = base if whole == 1 else self.power(base, whole // 2)
            if whole == 1:
                return half
            return half * half * base if whole % 2 else half * half
        if 2 * exponent == int(2 * exponent) and whole < LARGEST_POWER:
            root = self.apply("sqrt", base)
            return root if whole == 0 else self.power(base, whole) * root
        return self.apply("pow", base, exponent)

    def total(self, values: Iterable[Value]) -> Expression:
        """Return the sum of expressions, which is 0 without any."""
        result: Expression = self.number(0.0)
        for value in values:
            result = result + value
        return result

    def _node(self, operation: str, arguments: tuple[Any, ...]) -> Expression:
        key = (operation, *(one.index if isinstance(one, Expression) else _identity(one) for one in arguments))
        if key not in self._known:
            if len(self.nodes) >= MOST:
                raise OverflowError(f"it has more than {MOST} operations")
            self._known[key] = Expression(self, len(self.nodes), operation, arguments)
            self.nodes.append(self._known[key])
        return self._known[key]


def needed(results: Iterable[Expression]) -> list[Expression]:
    """Return all expressions on which some results depend, and the results, each after its arguments."""
    found: dict[int, Expression] = {}
    left = list(results)
    while left:
        one = left.pop()
        if one.index not in found:
            found[one.index] = one
            left.extend(inner for inner in one.arguments if isinstance(inner, Expression))
    return [found[index] for index in sorted(found)]


def substituted(results: Iterable[Expression], by: Mapping[Expression, Expression]) -> list[Expression]:
    """Return results in which some variables are replaced by other expressions, all at once."""
    found = {variable.index: value for variable, value in by.items()}
    wanted = list(results)
    for one in needed(wanted):
        if one.index not in found:
            inner = [found[a.index] if isinstance(a, Expression) else a for a in one.arguments]
            plain = one.operation in ("variable", "number")
            found[one.index] = one if plain else one.graph.apply(one.operation, *inner)
    return [found[one.index] for one in wanted]


def _identity(value: Any) -> tuple[Any, ...]:
    """Return a key that tells 0 from -0, 1 from True, and finds NaN equal to itself."""
    return (type(value).__name__, repr(value))


def _is_number(one: Expression, value: float | None = None) -> TypeGuard[Expression]:
    if one.operation != "number":
        return False
    return value is None or (one.arguments[0] == value and not isinstance(one.arguments[0], bool))


def _simplified(graph: Graph, operation: str, arguments: tuple[Expression, ...]) -> Expression | None:
    """Return a simpler expression with the same value for finite arguments, or None."""
    if all(_is_number(one) for one in arguments):
        return graph.number(evaluate(operation, *(one.arguments[0] for one in arguments)))
    rule = _RULES.get(operation)
    return None if rule is None else rule(graph, *arguments)


def _add(graph: Graph, a: Expression, b: Expression) -> Expression | None:
    for one, other in ((a, b), (b, a)):
        if _is_number(one, 0.0):
            return other
        if other.operation == "neg":
            return one - other.arguments[0]
    return None


def _sub(graph: Graph, a: Expression, b: Expression) -> Expression | None:
    if _is_number(b, 0.0):
        return a
    if _is_number(a, 0.0):
        return -b
    if a is b:
        return graph.number(0.0)
    return a + b.arguments[0] if b.operation == "neg" else None


def _mul(graph: Graph, a: Expression, b: Expression) -> Expression | None:
    if a is b and a.operation == "sqrt":
        return a.arguments[0]
    for one, other in ((a, b), (b, a)):
        if _is_number(one, 0.0):
            return graph.number(0.0)
        if _is_number(one, 1.0):
            return other
        if _is_number(one, -1.0):
            return -other
        if other.operation == "neg":
            return -(one * other.arguments[0])
    return None


def _div(graph: Graph, a: Expression, b: Expression) -> Expression | None:
    if _is_number(a, 0.0):
        return graph.number(0.0)
    if _is_number(b):
        value = b.arguments[0]
        if value == 1.0:
            return a
        if value != 0 and math.isfinite(value) and abs(math.frexp(value)[0]) == 0.5 and 1 / value != 0:
            return a * (1 / value)  # exact for a power of two
    if a.operation == "neg":
        return -(a.arguments[0] / b)
    return None


def _neg(graph: Graph, a: Expression) -> Expression | None:
    if a.operation == "neg":
        return a.arguments[0]
    return graph.apply("sub", a.arguments[1], a.arguments[0]) if a.operation == "sub" else None


def _select(graph: Graph, condition: Expression, a: Expression, b: Expression) -> Expression | None:
    if _is_number(condition):
        return a if condition.arguments[0] else b
    return a if a is b else None


_RULES: dict[str, Callable[..., Expression | None]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "select": _select,
}

NUMERICAL: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "pow": np.power,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "min": np.minimum,
    "max": np.maximum,
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "select": np.where,
}


def evaluate(operation: str, *values: float | bool) -> float | bool:
    """Return the value of an operation with numbers. It may be infinite or NaN."""
    with np.errstate(all="ignore"):
        value = NUMERICAL[operation](*(np.float64(v) if not isinstance(v, bool) else v for v in values))
    return bool(value) if operation in LOGICAL or isinstance(value, bool | np.bool_) else float(value)
