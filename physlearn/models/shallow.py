r"""Shallow fields: the flow of a network with one hidden layer, in double precision and compiled.

Whatever the model, its flow is

.. math:: f(z) = c + L z + A\,\varphi(B z + b)

where the functions of the neurons are the activation (for a network of the vector field) or its slope (for a Hamiltonian).
The scales of the inputs, of the outputs and of the units are folded into the matrices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import carray

from physlearn.activations.compiled import ZERO
from physlearn.activations.double import activate
from systems.compiled.field import Field
from systems.compiled.function import LANES, Function
from systems.compiled.loops import Array, loop
from systems.compiled.signature import pointer

EXACT: dict[str, Any] = {"error_model": "numpy"}
SUMS = 8  # partial sums over the neurons, so that the processor need not wait for one addition before the next
HEAD = 8  # entries of the head: its length, coordinates, neurons, results, vectors, blocks, 1 for a linear part, and lanes


@dataclass(frozen=True)
class Neurons:
    """A block of neurons with one function: its code, its order of differentiation, and the numbers of a table."""

    count: int
    code: int
    order: int
    numbers: Array


@dataclass(frozen=True, eq=False)
class Shallow:
    """A shallow field, or some of its components.

    Parameters
    ----------
    inner : shape ``(H, D)``
        The matrix B.
    shift : shape ``(H,)``
        The vector b.
    outer : shape ``(N, H)``
        The matrix A.
    linear : shape ``(N, D)``
        The matrix L.
    constant : shape ``(N,)``
        The vector c.
    neurons : tuple of Neurons
        The functions of the neurons, in blocks.
    """

    inner: Array
    shift: Array
    outer: Array
    linear: Array
    constant: Array
    neurons: tuple[Neurons, ...]

    def rows(self, begin: int, end: int | None) -> Shallow:
        """Return some components of the field, without the neurons that do not matter for them."""
        outer = self.outer[begin:end]
        used = (outer != 0).any(0)
        starts = np.cumsum([0, *(block.count for block in self.neurons)])
        blocks = [
            replace(block, count=int(used[start : start + block.count].sum()))
            for start, block in zip(starts, self.neurons, strict=False)
        ]
        return Shallow(
            self.inner[used],
            self.shift[used],
            outer[:, used],
            self.linear[begin:end],
            self.constant[begin:end],
            tuple(block for block in blocks if block.count),
        )

    def numbers(self, vectors: int) -> Array:
        """Return everything as one array, for the compiled functions, which move some deviation vectors, too.

        Neurons without weights are added where the number of neurons is no multiple of the partial sums.
        """
        more = -len(self.shift) % SUMS
        inner = np.pad(self.inner, ((0, more), (0, 0)))
        shift, outer = np.pad(self.shift, (0, more)), np.pad(self.outer, ((0, 0), (0, more)))
        *before, last = self.neurons or (Neurons(0, ZERO, 0, np.empty(0)),)
        blocks = [*before, replace(last, count=last.count + more)]
        straight = bool(self.linear.any())
        parts, at = [], HEAD + 4 * len(blocks)
        heads: list[int] = []
        for block in blocks:
            heads += [block.count, block.code, block.order, at]
            parts.append(block.numbers)
            at += len(block.numbers)
        head = [at, inner.shape[1], len(shift), len(outer), vectors, len(blocks), int(straight), LANES, *heads]
        whole = np.array(head, dtype=np.int64).view(np.float64)
        linear = self.linear.reshape(-1) if straight else np.empty(0)
        return np.concatenate([whole, *parts, shift, inner.T.reshape(-1), outer.reshape(-1), self.constant, linear])


@loop(forceinline=True, **EXACT)
def parts(numbers: Any) -> Any:
    """Return the parts of the numbers of a field as arrays: see `Shallow.numbers`."""
    head = carray(numbers, HEAD).view(np.int64)
    begin, dim, n, results, n_blocks, straight = head[0], head[1], head[2], head[3], head[5], head[6]
    fixed = begin + n * (1 + dim + results) + results + straight * results * dim
    p = carray(numbers, fixed)
    blocks = carray(numbers, begin).view(np.int64)[HEAD : HEAD + 4 * n_blocks]
    shift, at = p[begin : begin + n], begin + n
    inner, at = p[at : at + n * dim], at + n * dim
    outer, at = p[at : at + n * results], at + n * results
    constant, at = p[at : at + results], at + results
    linear = p[at:fixed]
    return p, blocks, shift, inner, outer, constant, linear


@loop(forceinline=True, **EXACT)
def functions(p: Array, blocks: Array, derivative: int, lanes: int, x: Array, y: Array) -> None:
    """Write a derivative of the functions of all neurons at x into y."""
    at = 0
    for block in range(0, blocks.size, 4):
        count = blocks[block] * lanes
        numbers = p[blocks[block + 3] :]
        activate(blocks[block + 1], blocks[block + 2] + derivative, numbers, x[at : at + count], y[at : at + count])
        at += count


@loop(forceinline=True, **EXACT)
def project(inner: Array, z: Array, place: int, step: int, x: Array) -> None:
    """Add the product of B with a state or vector, every ``step``-th coordinate of z from ``place`` on, to x."""
    n = x.size
    for column in range(inner.size // n):
        weights, value = inner[column * n : (column + 1) * n], z[column * step + place]
        for row in range(n):
            x[row] += weights[row] * value


@loop(forceinline=True, **EXACT)
def total(weights: Array, x: Array) -> float:
    """Return a weighted sum over the neurons."""
    a = b = c = d = e = f = g = h = 0.0
    for row in range(0, x.size, SUMS):
        a += weights[row] * x[row]
        b += weights[row + 1] * x[row + 1]
        c += weights[row + 2] * x[row + 2]
        d += weights[row + 3] * x[row + 3]
        e += weights[row + 4] * x[row + 4]
        f += weights[row + 5] * x[row + 5]
        g += weights[row + 6] * x[row + 6]
        h += weights[row + 7] * x[row + 7]
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


@loop(forceinline=True, **EXACT)
def evaluate(z: Array, numbers: Any, out: Array) -> None:
    """Write the field, and its derivative along each vector; each coordinate is followed by the same one of all vectors."""
    head = carray(numbers, HEAD).view(np.int64)
    results, step = head[3], head[4] + 1
    p, blocks, shift, inner, outer, constant, linear = parts(numbers)
    n, dim = shift.size, linear.size // results
    work = np.empty(2 * n)
    x, y = work[:n], work[n:]
    for place in range(step):
        for row in range(n):
            x[row] = shift[row] if place == 0 else 0.0
        project(inner, z, place, step, x)
        if place == 0:
            functions(p, blocks, 0, 1, x, y)
        else:
            for row in range(n):
                x[row] *= y[row]
        for row in range(results):
            value = total(outer[row * n : (row + 1) * n], y if place == 0 else x)
            for column in range(dim):
                value += linear[row * dim + column] * z[column * step + place]
            out[row * step + place] = value + constant[row] if place == 0 else value
        if place == 0 and step > 1:
            functions(p, blocks, 1, 1, x, y)


@pointer
def one(t, z, p, out):  # type: ignore[no-untyped-def]
    """Evaluate a shallow field, and its derivatives, at one state."""
    head = carray(p, HEAD).view(np.int64)
    evaluate(carray(z, head[1] * (head[4] + 1)), p, carray(out, head[3] * (head[4] + 1)))


@loop(forceinline=True, **EXACT)
def project_many(inner: Array, z: Array, place: int, x: Array) -> None:
    """Add the product of B with states or vectors side by side to ``x (neurons, lanes)``."""
    lanes = x.shape[1]
    for column in range(inner.shape[0]):
        for row in range(x.shape[0]):
            for lane in range(lanes):
                x[row, lane] += inner[column, row] * z[column, place, lane]


@loop(forceinline=True, **EXACT)
def total_many(weights: Array, x: Array, sums: Array, into: Array) -> None:
    """Write weighted sums over the neurons into ``into (lanes,)``, added in the same order as by `total`."""
    lanes = x.shape[1]
    for k in range(SUMS):
        for lane in range(lanes):
            sums[k, lane] = 0.0
    for row in range(0, x.shape[0], SUMS):
        for k in range(SUMS):
            for lane in range(lanes):
                sums[k, lane] += weights[row + k] * x[row + k, lane]
    for lane in range(lanes):
        first = (sums[0, lane] + sums[1, lane]) + (sums[2, lane] + sums[3, lane])
        into[lane] = first + ((sums[4, lane] + sums[5, lane]) + (sums[6, lane] + sums[7, lane]))


@loop(forceinline=True, **EXACT)
def _rates_many(outer: Array, linear: Array, x: Array, z: Array, place: int, sums: Array, into: Array, out: Array) -> None:
    """Write the rates of states or vectors side by side, without the constant part."""
    lanes = x.shape[1]
    for row in range(out.shape[0]):
        total_many(outer[row], x, sums, into)
        for lane in range(lanes):
            out[row, place, lane] = into[lane]
        for column in range(linear.shape[1]):
            for lane in range(lanes):
                out[row, place, lane] += linear[row, column] * z[column, place, lane]


@pointer
def many(t, z_, numbers, out_):  # type: ignore[no-untyped-def]
    """Evaluate a shallow field, and its derivatives, at states side by side, in the same order as for one."""
    head = carray(numbers, HEAD).view(np.int64)
    dim, n, results, step, straight = head[1], head[2], head[3], head[4] + 1, head[6]
    lanes = head[7]  # LANES, but loops of a length that the compiler knows would be unrolled instead of vectorised
    p, blocks, shift, inner_, outer_, constant, linear_ = parts(numbers)
    inner, outer = inner_.reshape(dim, n), outer_.reshape(results, n)
    linear = linear_.reshape(results, straight * dim)
    z, out = carray(z_, dim * step * lanes).reshape(dim, step, lanes), carray(out_, results * step * lanes)
    out = out.reshape(results, step, lanes)
    x, y, sums, into = np.empty((n, lanes)), np.empty((n, lanes)), np.empty((SUMS, lanes)), np.empty(lanes)
    for row in range(n):
        for lane in range(lanes):
            x[row, lane] = shift[row]
    project_many(inner, z, 0, x)
    functions(p, blocks, 0, lanes, x.reshape(-1), y.reshape(-1))
    _rates_many(outer, linear, y, z, 0, sums, into, out)
    for row in range(results):
        for lane in range(lanes):
            out[row, 0, lane] += constant[row]
    if step > 1:
        functions(p, blocks, 1, lanes, x.reshape(-1), y.reshape(-1))
    for place in range(1, step):
        for row in range(n):
            for lane in range(lanes):
                x[row, lane] = 0.0
        project_many(inner, z, place, x)
        for row in range(n):
            for lane in range(lanes):
                x[row, lane] *= y[row, lane]
        _rates_many(outer, linear, x, z, place, sums, into, out)


@pointer
def derivatives(t, z, p, out):  # type: ignore[no-untyped-def]
    """Write the Jacobian of a shallow field, in row-major order; the number of vectors in p is that of the coordinates."""
    head = carray(p, HEAD).view(np.int64)
    dim, results = head[1], head[3]
    states, found = np.zeros(dim * (dim + 1)), np.zeros(results * (dim + 1))
    for i in range(dim):
        states[i * (dim + 1)] = z[i]
        states[i * (dim + 1) + i + 1] = 1.0
    evaluate(states, p, found)
    for row in range(results):
        for column in range(dim):
            out[row * dim + column] = found[row * (dim + 1) + column + 1]


class ShallowFunction(Function):
    """A shallow field, or its derivatives, for compiled solvers."""

    def __init__(self, shallow: Shallow, vectors: int, *, jacobian: bool = False) -> None:
        size = len(shallow.constant) * (shallow.inner.shape[1] if jacobian else vectors + 1)
        super().__init__(size, (derivatives if jacobian else one).address, shallow.numbers(vectors))

    @property
    def wide(self) -> int:
        """Address of the machine code for ``LANES`` states side by side."""
        return int(many.address)


class ShallowField(Field):
    """A shallow field for compiled solvers.

    Parameters
    ----------
    shallow
        The field.
    vectors
        Number of deviation vectors that move with each state.
    """

    def __init__(self, shallow: Shallow, vectors: int = 0) -> None:
        super().__init__()
        self.shallow, self.vectors = shallow, vectors

    @property
    def dim(self) -> int:
        """Number of coordinates, of the state and of the vectors."""
        return self.shallow.inner.shape[1] * (self.vectors + 1)

    @property
    def cost(self) -> int:
        """Approximate number of operations of one evaluation."""
        neurons, dim = self.shallow.inner.shape
        return neurons * (2 * dim + 20) * (self.vectors + 1)

    def make(self, begin: int, end: int | None) -> Function:
        """Return the rates of some coordinates."""
        step = self.vectors + 1
        rows = self.shallow.rows(begin // step, None if end is None else end // step)
        return ShallowFunction(rows, self.vectors)

    def make_jacobian(self) -> Function:
        """Return the derivatives of the field."""
        return ShallowFunction(self.shallow, self.shallow.inner.shape[1], jacobian=True)

    def make_tangent(self, k: int) -> Field:
        """Return the field of a state and k deviation vectors."""
        return ShallowField(self.shallow, k)
