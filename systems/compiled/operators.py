"""What each operator of torch does to arrays of expressions.

An array is a NumPy array of objects, so that views, broadcasting and assignments behave as they do in torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from systems.compiled.expression import Expression, Graph
from systems.compiled.shapes import SHAPES

Array = np.ndarray
Operator = Callable[..., Any]


class UntraceableError(Exception):
    """A function cannot be written as expressions. The message says why."""


class Operators:
    """The operators of torch by name, such as ``"aten.add.Tensor"``, which act on arrays of expressions of one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def find(self, name: str) -> Operator:
        """Return an operator. Raises UntraceableError if there is none."""
        short = name.removeprefix("aten.").split(".")[0]
        in_place = short.endswith("_") and not short.endswith("__")
        plain = short.removesuffix("_") if in_place else short
        operator = self._elementwise(plain) or getattr(self, f"_{plain.lstrip('_')}", None) or SHAPES.get(plain)
        if operator is None:
            raise UntraceableError(f"it uses {name}, which cannot be compiled")
        return _assigned(operator) if in_place else operator

    def array(self, value: Any) -> Array:
        """Return a number, tensor or array as an array of expressions."""
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().numpy()
        array = np.asarray(value)
        if array.dtype == object:
            return array
        if array.dtype.kind == "c":
            raise UntraceableError("it uses complex numbers")
        exact = array if array.dtype.kind == "b" else array.astype(float)
        flat = [self.graph.number(one) for one in exact.reshape(-1).tolist()]
        return _array(flat).reshape(array.shape)

    def _elementwise(self, name: str) -> Operator | None:
        """Return an operator that acts on each element by itself."""
        if name in _SCALAR:
            scalar = _SCALAR[name]
        elif name in _DIRECT:
            operation = _DIRECT[name]

            def scalar(graph: Graph, *values: Any) -> Expression:
                return graph.apply(operation, *values)
        else:
            return None
        apply = np.frompyfunc(lambda *values: scalar(self.graph, *values), _count(name), 1)

        def call(*values: Any, alpha: float = 1, **_: Any) -> Array:
            arrays = [value if value is None else self.array(value) for value in values]
            if alpha != 1:
                arrays[1] = self._elementwise("mul")(arrays[1], alpha)  # type: ignore[misc]
            return np.asarray(apply(*arrays), dtype=object)

        return call

    def _add(self, a: Any, b: Any, alpha: float = 1) -> Array:
        return self.array(a) + self.array(b) * alpha

    def _pow(self, base: Any, exponent: Any) -> Array:
        def power(base: Expression, exponent: Expression) -> Expression:
            base, exponent = self.graph.real(base), self.graph.real(exponent)
            if exponent.operation == "number":
                return self.graph.power(base, exponent.arguments[0])
            return self.graph.apply("pow", base, exponent)

        return np.asarray(np.frompyfunc(power, 2, 1)(self.array(base), self.array(exponent)), dtype=object)

    def _clamp(self, a: Any, low: Any = None, high: Any = None) -> Array:
        array = self.array(a)
        if low is not None:
            array = self.find("maximum")(array, low)
        return array if high is None else self.find("minimum")(array, high)

    def _where(self, condition: Any, a: Any, b: Any) -> Array:
        return self.find("select_element")(self.array(condition), self.array(a), self.array(b))

    def _masked_fill(self, a: Any, mask: Any, value: Any) -> Array:
        return self._where(mask, value, a)

    def _sum(self, a: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
        return self._reduced(a, dim, keepdim, self.graph.total)

    def _mean(self, a: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
        return self._reduced(a, dim, keepdim, lambda values: self.graph.total(values) / len(values))

    def _prod(self, a: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Array:
        return self._reduced(a, dim, keepdim, lambda values: _folded("mul", values))

    def _amax(self, a: Any, dim: Any = None, keepdim: bool = False) -> Array:
        return self._reduced(a, dim, keepdim, lambda values: _folded("max", values))

    def _amin(self, a: Any, dim: Any = None, keepdim: bool = False) -> Array:
        return self._reduced(a, dim, keepdim, lambda values: _folded("min", values))

    def _linalg_vector_norm(
        self, a: Any, order: float = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None
    ) -> Array:
        if order != 2:
            raise UntraceableError(f"it uses a norm of order {order}")
        return self._reduced(a, dim, keepdim, lambda values: self.graph.apply("sqrt", self.graph.total(v * v for v in values)))

    def _cumsum(self, a: Any, dim: int, dtype: Any = None) -> Array:
        return np.add.accumulate(self.array(a), axis=dim)

    def _cumprod(self, a: Any, dim: int, dtype: Any = None) -> Array:
        return np.multiply.accumulate(self.array(a), axis=dim)

    def _dot(self, a: Any, b: Any) -> Array:
        return _array([self.graph.total(self.array(a) * self.array(b))]).reshape(())

    def _mv(self, a: Any, b: Any) -> Array:
        return self._sum(self.array(a) * self.array(b), -1)

    def _mm(self, a: Any, b: Any) -> Array:
        return self._sum(self.array(a)[..., :, :, None] * self.array(b)[..., None, :, :], -2)

    def _bmm(self, a: Any, b: Any) -> Array:
        return self._mm(a, b)

    def _addmm(self, c: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> Array:
        return self.array(c) * beta + self._mm(a, b) * alpha

    def _addmv(self, c: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> Array:
        return self.array(c) * beta + self._mv(a, b) * alpha

    def _addcmul(self, c: Any, a: Any, b: Any, value: float = 1) -> Array:
        return self.array(c) + self.array(a) * self.array(b) * value

    def _addcdiv(self, c: Any, a: Any, b: Any, value: float = 1) -> Array:
        return self.array(c) + self.array(a) / self.array(b) * value

    def _linalg_cross(self, a: Any, b: Any, dim: int = -1) -> Array:
        left, right = np.broadcast_arrays(self.array(a), self.array(b))
        left, right = np.moveaxis(left, dim, 0), np.moveaxis(right, dim, 0)
        parts = [left[(i + 1) % 3] * right[(i + 2) % 3] - left[(i + 2) % 3] * right[(i + 1) % 3] for i in range(3)]
        return np.moveaxis(np.stack(parts), 0, dim)

    def _constant_pad_nd(self, a: Any, pad: Sequence[int], value: float = 0) -> Array:
        array = self.array(a)
        for k in range(len(pad) // 2):  # the last axis comes first
            before, after = pad[2 * k], pad[2 * k + 1]
            moved = np.moveaxis(array, -1 - k, 0)[max(-before, 0) : len(np.moveaxis(array, -1 - k, 0)) - max(-after, 0)]
            edges = [self._full((max(width, 0), *moved.shape[1:]), value) for width in (before, after)]
            array = np.moveaxis(np.concatenate([edges[0], moved, edges[1]]), 0, -1 - k)
        return array

    def _full(self, shape: Sequence[int], value: Any, **_: Any) -> Array:
        return np.broadcast_to(self.array(value), tuple(shape)).copy()

    def _full_like(self, a: Any, value: Any, **_: Any) -> Array:
        return self._full(np.shape(a), value)

    def _new_full(self, a: Any, shape: Sequence[int], value: Any, **_: Any) -> Array:
        return self._full(shape, value)

    def _zeros_like(self, a: Any, **_: Any) -> Array:
        return self._full(np.shape(a), 0.0)

    def _new_zeros(self, a: Any, shape: Sequence[int], **_: Any) -> Array:
        return self._full(shape, 0.0)

    def _ones_like(self, a: Any, **_: Any) -> Array:
        return self._full(np.shape(a), 1.0)

    def _new_ones(self, a: Any, shape: Sequence[int], **_: Any) -> Array:
        return self._full(shape, 1.0)

    def _empty_like(self, a: Any, **_: Any) -> Array:
        return self._zeros_like(a)

    def _new_empty(self, a: Any, shape: Sequence[int], **_: Any) -> Array:
        return self._full(shape, 0.0)

    def _select_backward(self, grad: Any, shape: Sequence[int], dim: int, index: int) -> Array:
        whole = self._full(shape, 0.0)
        np.moveaxis(whole, dim, 0)[index] = self.array(grad)
        return whole

    def _slice_backward(self, grad: Any, shape: Sequence[int], dim: int, start: int, end: int, step: int) -> Array:
        whole = self._full(shape, 0.0)
        np.moveaxis(whole, dim, 0)[start:end:step] = np.moveaxis(self.array(grad), dim, 0)
        return whole

    def _select_scatter(self, a: Any, part: Any, dim: int, index: int) -> Array:
        whole = self.array(a).copy()
        np.moveaxis(whole, dim, 0)[index] = self.array(part)
        return whole

    def _slice_scatter(self, a: Any, part: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Array:
        whole = self.array(a).copy()
        np.moveaxis(whole, dim, 0)[start:end:step] = np.moveaxis(self.array(part), dim, 0)
        return whole

    def _index(self, a: Any, indices: Sequence[Any]) -> Array:
        array = self.array(a)
        if any(isinstance(one, np.ndarray) and one.dtype == object for one in indices):
            raise UntraceableError("it selects elements by an index that depends on the state")
        return array[tuple(slice(None) if one is None else one.numpy() for one in indices)]

    def _index_put(self, a: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Array:
        whole = self.array(a).copy()
        places = tuple(slice(None) if one is None else one.numpy() for one in indices)
        if accumulate:
            np.add.at(whole, places, self.array(values))  # type: ignore[arg-type]
        else:
            whole[places] = self.array(values)
        return whole

    def _index_add(self, a: Any, dim: int, index: Any, values: Any, alpha: float = 1) -> Array:
        return self._index_put(a, [None] * (dim % np.ndim(a)) + [index], self.array(values) * alpha, accumulate=True)

    def _index_select(self, a: Any, dim: int, index: Any) -> Array:
        return self._index(a, [None] * (dim % np.ndim(a)) + [index])

    def _copy(self, target: Any, source: Any, non_blocking: bool = False) -> Array:
        return np.broadcast_to(self.array(source), np.shape(target))

    def _fill(self, target: Any, value: Any) -> Array:
        return np.broadcast_to(self.array(value), np.shape(target))

    def _zero(self, target: Any) -> Array:
        return self._zeros_like(target)

    def _to_copy(self, a: Any, dtype: Any = None, **_: Any) -> Array:
        array = self.array(a)
        if dtype in (None, torch.float64):
            real = np.frompyfunc(lambda one: one if dtype is None else self.graph.real(one), 1, 1)
            return np.array(real(array), dtype=object)
        if dtype == torch.bool and all(one.logical for one in array.reshape(-1)):
            return array.copy()
        raise UntraceableError(f"it computes in {str(dtype).removeprefix('torch.')}")

    def _reduced(self, a: Any, dim: Any, keepdim: bool, reduce: Callable[[list[Expression]], Expression]) -> Array:
        array = self.array(a)
        axes = range(array.ndim) if dim is None or dim == [] else [dim] if isinstance(dim, int) else dim
        gone = sorted(axis % max(array.ndim, 1) for axis in axes) if array.ndim else []
        kept = [axis for axis in range(array.ndim) if axis not in gone]
        rows = array.transpose(kept + gone).reshape([array.shape[axis] for axis in kept] + [-1])
        flat = [reduce([self.graph.real(one) for one in row]) for row in rows.reshape(-1, rows.shape[-1])]
        shape = [1 if axis in gone else n for axis, n in enumerate(array.shape)] if keepdim else rows.shape[:-1]
        return _array(flat).reshape(shape)


def _array(flat: Sequence[Expression]) -> Array:
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array


def _folded(operation: str, values: Sequence[Expression]) -> Expression:
    result = values[0]
    for value in values[1:]:
        result = result.graph.apply(operation, result, value)
    return result


def _assigned(operator: Operator) -> Operator:
    """Return an operator that writes its result into its first argument, as torch does."""

    def call(target: Array, *values: Any, **options: Any) -> Array:
        target[...] = operator(target, *values, **options)
        return target

    return call


def _count(name: str) -> int:
    return _ARGUMENTS.get(name, 1)


_DIRECT = {
    **{name: name for name in ("neg", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sqrt")},
    **{name: name for name in ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "abs", "sign", "floor", "atan2")},
    **{name: name for name in ("sub", "mul", "lt", "le", "eq", "ne")},
    "sgn": "sign",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "and",
    "logical_or": "or",
    "logical_not": "not",
    "select_element": "select",
}

_ARGUMENTS = {
    **dict.fromkeys(
        ("sub", "mul", "div", "rsub", "lt", "le", "eq", "ne", "gt", "ge", "maximum", "minimum", "atan2", "remainder"), 2
    ),
    **dict.fromkeys(("logical_and", "logical_or", "bitwise_and", "bitwise_or", "hypot"), 2),
    "select_element": 3,
}

_SCALAR: dict[str, Callable[..., Expression]] = {
    "rsub": lambda g, a, b: b - a,
    "gt": lambda g, a, b: g.apply("lt", b, a),
    "ge": lambda g, a, b: g.apply("le", b, a),
    "square": lambda g, a: a * a,
    "reciprocal": lambda g, a: 1.0 / a,
    "rsqrt": lambda g, a: 1.0 / g.apply("sqrt", a),
    "exp2": lambda g, a: g.apply("pow", 2.0, a),
    "log2": lambda g, a: g.apply("log", a) / np.log(2.0),
    "log10": lambda g, a: g.apply("log", a) / np.log(10.0),
    "sigmoid": lambda g, a: 1.0 / (1.0 + g.apply("exp", -a)),
    "relu": lambda g, a: g.apply("max", a, 0.0),
    "ceil": lambda g, a: -g.apply("floor", -a),
    "hypot": lambda g, a, b: g.apply("sqrt", a * a + b * b),
    "bitwise_and": lambda g, a, b: _of_logical(g, "and", a, b),
    "bitwise_or": lambda g, a, b: _of_logical(g, "or", a, b),
    "bitwise_not": lambda g, a: _of_logical(g, "not", a),
    "div": lambda g, a, b: a / b,
    "remainder": lambda g, a, b: a - b * g.apply("floor", a / b),
}


def _of_logical(graph: Graph, operation: str, *values: Expression) -> Expression:
    if not all(value.logical for value in values):
        raise UntraceableError("it computes with the bits of whole numbers")
    return graph.apply(operation, *values)
