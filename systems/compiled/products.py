"""Products of small matrices for compiled loops: weights of a layer times numbers of its neurons.

The matrices hold neurons in rows, and samples or orbits in columns. LLVM does not find the form of a product that keeps its
sums in registers, so this form is written in LLVM's own language. Each sum is computed in the same order, by fused
multiply-adds, for any number of columns. On one core of an AMD EPYC, in single precision and for 100 to 200 rows,
`add_product` computes 100 to 115 GFLOPS and `add_outer` 70 to 105, where OpenBLAS computes 85 to 100. No function starts
threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from systems.compiled.loops import Array, loop

BLOCK = 4  # rows that are computed together; numbers of rows of a product are multiples of it
WIDE = bool(binding.get_host_cpu_features().get("avx512f", False))
REGISTER = 64 if WIDE else 32  # bytes
SEVERAL = 4 if WIDE else 2  # registers per row: the sums of a block then fill half of all registers
COLUMNS = 16  # numbers of columns are multiples of it
INLINED: dict[str, Any] = {"error_model": "numpy", "nogil": True, "forceinline": True}

_BYTE, _INDEX = ir.IntType(8), ir.IntType(64)


class _Matrix:
    """A matrix in the code that is generated: its numbers, and registers full of them, in memory."""

    def __init__(self, context: Any, builder: Any, kind: Any, value: Any) -> None:
        array = context.make_array(kind)(context, builder, value)
        self.builder, self.data = builder, builder.bitcast(array.data, _BYTE.as_pointer())
        self.number, self.size = context.get_data_type(kind.dtype), kind.dtype.bitwidth // 8
        self.rows = builder.extract_value(array.shape, 0)
        self.down, self.along = cgutils.unpack_tuple(builder, array.strides)
        self.lanes = REGISTER // self.size

    def place(self, row: Any, column: Any, lanes: int = 1, further: int = 0) -> Any:
        """Return where some numbers next to each other are, some registers after a row and a column."""
        kind = self.number if lanes == 1 else ir.VectorType(self.number, lanes)
        at = self.builder.gep(self.data, [self.builder.mul(row, self.down)])
        at = self.builder.gep(at, [self.builder.mul(column, self.along)])
        return self.builder.bitcast(self.builder.gep(at, [_INDEX(REGISTER * further)]), kind.as_pointer())

    def load(self, at: Any) -> Any:
        """Return the numbers at a place."""
        value = self.builder.load(at)
        value.align = self.size
        return value

    def store(self, value: Any, at: Any) -> None:
        """Write numbers to a place."""
        self.builder.store(value, at).align = self.size

    def multiply_add(self) -> Callable[[Any, Any, Any], Any]:
        """Return a function that multiplies and adds registers with one rounding."""
        vector, name = ir.VectorType(self.number, self.lanes), f"llvm.fma.v{self.lanes}f{8 * self.size}"
        function = cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(vector, [vector] * 3), name)
        return lambda a, b, c: self.builder.call(function, [a, b, c])


def _matrices(context: Any, builder: Any, signature: Any, arguments: Any) -> list[_Matrix]:
    return [_Matrix(context, builder, *one) for one in zip(signature.args[:3], arguments[:3], strict=True)]


def _chosen(builder: Any, a: Any, b: Any, lanes: Sequence[int]) -> Any:
    """Return some lanes of two registers as one vector."""
    return builder.shuffle_vector(a, b, ir.VectorType(ir.IntType(32), len(lanes))(list(lanes)))


def _block(rows: int, registers: int) -> Any:
    """Return a function that adds A x to y, for some rows of y and as many columns as fit into some registers.

    It is called as ``block(A, x, y, row, column)`` in compiled code, with the first row and column. All arrays have the same
    type of number, and the columns of x and y are next to each other.
    """

    def block(typing: Any, A: Any, x: Any, y: Any, row: Any, column: Any) -> Any:
        signature = types.void(A, x, y, types.intp, types.intp)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            weights, values, results = _matrices(context, builder, signature, arguments)
            first, strips, multiply_add = arguments[4], range(registers), weights.multiply_add()
            lines = [builder.add(arguments[3], _INDEX(i)) for i in range(rows)]
            into = [[results.place(line, first, results.lanes, strip) for strip in strips] for line in lines]
            sums = [[cgutils.alloca_once_value(builder, results.load(at)) for at in own] for own in into]
            with cgutils.for_range(builder, values.rows) as inner:
                at = [values.place(inner.index, first, values.lanes, strip) for strip in strips]
                loaded = [values.load(one) for one in at]
                nothing = loaded[0].type(ir.Undefined)
                for line, own in zip(lines, sums, strict=True):
                    weight = weights.load(weights.place(line, inner.index))
                    weight = builder.insert_element(nothing, weight, ir.IntType(32)(0))
                    everywhere = _chosen(builder, weight, nothing, [0] * values.lanes)
                    for value, total in zip(loaded, own, strict=True):
                        builder.store(multiply_add(everywhere, value, builder.load(total)), total)
            for own, places in zip(sums, into, strict=True):
                for total, place in zip(own, places, strict=True):
                    results.store(builder.load(total), place)
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(block)


def _square(typing: Any, y: Any, x: Any, G: Any, row: Any, column: Any, width: Any) -> Any:
    """Add the scalar products of `BLOCK` rows of y with as many of x, over some columns, to a square of G."""
    signature = types.void(y, x, G, types.intp, types.intp, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right, results = _matrices(context, builder, signature, arguments)
        lanes, multiply_add = left.lanes, left.multiply_add()
        lines = [[builder.add(start, _INDEX(i)) for i in range(BLOCK)] for start in arguments[3:5]]
        nothing = ir.VectorType(left.number, lanes)([0.0] * lanes)
        sums = [cgutils.alloca_once_value(builder, nothing) for _ in range(BLOCK**2)]
        with cgutils.for_range(builder, builder.udiv(arguments[5], _INDEX(lanes))) as inner:
            begin = builder.mul(inner.index, _INDEX(lanes))
            both = zip((left, right), lines, strict=True)
            loaded = [[matrix.load(matrix.place(line, begin, lanes)) for line in own] for matrix, own in both]
            for total, (a, b) in zip(sums, product(*loaded), strict=True):
                builder.store(multiply_add(a, b, builder.load(total)), total)
        found = _added_up(builder, [builder.load(total) for total in sums], lanes)
        for i, line in enumerate(lines[0]):
            part, own = divmod(i * BLOCK, lanes)
            at = results.place(line, arguments[4], BLOCK)
            value = _chosen(builder, found[part], found[part], range(own, own + BLOCK))
            results.store(builder.fadd(results.load(at), value), at)
        return context.get_dummy_value()

    return signature, generate


def _added_up(builder: Any, vectors: list[Any], lanes: int) -> list[Any]:
    """Return the sums over the lanes of each vector, in order, as vectors: neighbours are added until one is left of each."""
    for _ in range(lanes.bit_length() - 1):
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        both = [[_chosen(builder, a, b, range(first, 2 * lanes, 2)) for first in (0, 1)] for a, b in pairs]
        vectors = [builder.fadd(even, odd) for even, odd in both]
    return vectors


_several, _pair, _one = _block(BLOCK, SEVERAL), _block(BLOCK, 2), _block(BLOCK, 1)
_long_row, _short_row = _block(1, 4), _block(1, 1)
_scalar_products: Any = intrinsic(_square)


@loop(**INLINED)
def add_product(A: Array, x: Array, y: Array, width: int) -> None:
    """Add A x to y, for the first columns of ``x (k, ...)`` and ``y (m, ...)``; A is ``(m, k)``, in any layout."""
    lanes = REGISTER // y.itemsize
    step = SEVERAL * lanes
    whole = width // step * step
    for j in range(0, whole, step):
        for i in range(0, y.shape[0], BLOCK):
            _several(A, x, y, i, j)
    for j in range(whole, width, lanes):
        for i in range(0, y.shape[0], BLOCK):
            _one(A, x, y, i, j)


@loop(**INLINED)
def add_narrow(A: Array, x: Array, y: Array) -> None:
    """Add A x to y, for a few columns, whose number is a multiple of those in two registers."""
    for j in range(0, y.shape[1], 2 * (REGISTER // y.itemsize)):
        for i in range(0, y.shape[0], BLOCK):
            _pair(A, x, y, i, j)


@loop(**INLINED)
def add_row(a: Array, x: Array, y: Array) -> None:
    """Add a x to y, where a and y are single rows, ``(1, k)`` and ``(1, m)``; m is a multiple of the numbers in a register.

    With the transpose of a matrix as x, this is the product of the matrix with a vector, in the same order as by `add_narrow`.
    """
    lanes = REGISTER // y.itemsize
    whole = y.shape[1] // (4 * lanes) * (4 * lanes)
    for j in range(0, whole, 4 * lanes):
        _long_row(a, x, y, 0, j)
    for j in range(whole, y.shape[1], lanes):
        _short_row(a, x, y, 0, j)


@loop(**INLINED)
def add_outer(G: Array, y: Array, x: Array, width: int) -> None:
    """Add y x^T, the sum of the outer products of the first columns of ``y (m, ...)`` and ``x (k, ...)``, to ``G (m, k)``."""
    for i in range(0, y.shape[0], BLOCK):
        for k in range(0, x.shape[0], BLOCK):
            _scalar_products(y, x, G, i, k, width)
