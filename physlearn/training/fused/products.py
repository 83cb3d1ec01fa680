"""Products of small matrices for compiled loops: layers of neurons times tiles of a batch.

A tile is stored as one row per neuron and one column per sample. Numbers of rows are multiples of `BLOCK`, and numbers of
columns of `COLUMNS`. On one core of an AMD EPYC, `add_product` computes 100 to 115 GFLOPS and `add_outer` 50 to 80 for
matrices with 100 to 200 rows, where OpenBLAS computes 90 to 100. They start no threads, and the order of their sums depends
on nothing but the sizes.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from physlearn.activations.compiled import FAST, INLINED
from physlearn.training.fused.step import ZERO
from systems.compiled.loops import Array, loop

BLOCK = 4  # rows that are computed together
WIDE = bool(binding.get_host_cpu_features().get("avx512f", False))
LANES = 16 if WIDE else 8  # numbers in a register, or in two where registers are shorter
SEVERAL = 4 if WIDE else 2  # registers per row: the sums of a block then fill half of all registers
COLUMNS = 16
BYTES = 4  # of a number


def _block(registers: int) -> Any:
    """Return a function that adds A x to y for `BLOCK` rows of y and some registers of columns, with sums in registers.

    It is called as ``block(A, x, y, row, column)`` in compiled code. LLVM does not find this form of a product by itself.
    """

    def block(typing: Any, A: Any, x: Any, y: Any, row: Any, column: Any) -> Any:
        signature = types.void(A, x, y, types.intp, types.intp)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            number, lines = ir.FloatType(), range(registers)
            vector = ir.VectorType(number, LANES)
            a_, x_, y_ = (
                context.make_array(kind)(context, builder, value)
                for kind, value in zip(signature.args[:3], arguments[:3], strict=True)
            )
            down, along = cgutils.unpack_tuple(builder, a_.strides)
            first = builder.mul(arguments[4], ir.Constant(ir.IntType(64), BYTES))
            rows = [builder.add(arguments[3], ir.Constant(ir.IntType(64), i)) for i in range(BLOCK)]

            def place(start: Any, kind: Any, *offsets: Any) -> Any:
                at = builder.bitcast(start, ir.IntType(8).as_pointer())
                for offset in offsets:
                    at = builder.gep(at, [offset])
                return builder.bitcast(at, kind.as_pointer())

            def strip(start: Any, line: int, *offsets: Any) -> Any:
                return place(start, vector, first, ir.Constant(ir.IntType(64), BYTES * LANES * line), *offsets)

            def load(at: Any) -> Any:
                value = builder.load(at)
                value.align = BYTES
                return value

            into = [
                [strip(y_.data, n, builder.mul(i, cgutils.unpack_tuple(builder, y_.strides)[0])) for n in lines] for i in rows
            ]
            sums = [[cgutils.alloca_once_value(builder, load(at)) for at in own] for own in into]
            nothing = ir.Constant(vector, ir.Undefined)
            everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
            with cgutils.for_range(builder, builder.extract_value(x_.shape, 0)) as inner:
                below = builder.mul(inner.index, cgutils.unpack_tuple(builder, x_.strides)[0])
                values = [load(strip(x_.data, n, below)) for n in lines]
                for i, own in zip(rows, sums, strict=True):
                    weight = load(place(a_.data, number, builder.mul(i, down), builder.mul(inner.index, along)))
                    one = builder.insert_element(nothing, weight, ir.Constant(ir.IntType(32), 0))
                    weights = builder.shuffle_vector(one, nothing, everywhere)
                    for value, total in zip(values, own, strict=True):
                        product = builder.fmul(weights, value, flags=("contract",))
                        builder.store(builder.fadd(builder.load(total), product, flags=("contract",)), total)
            for own, places in zip(sums, into, strict=True):
                for total, at in zip(own, places, strict=True):
                    builder.store(builder.load(total), at).align = BYTES
            return context.get_dummy_value()

        return signature, generate

    return intrinsic(block)


_several, _one = _block(SEVERAL), _block(1)


@loop(**INLINED, fastmath=FAST)
def add_product(A: Array, x: Array, y: Array, width: int) -> None:
    """Add A x to y, for the first columns of ``x (k, ...)`` and ``y (m, ...)``; A is ``(m, k)``, in any layout."""
    step = SEVERAL * LANES
    whole = width // step * step
    for j in range(0, whole, step):
        for i in range(0, y.shape[0], BLOCK):
            _several(A, x, y, i, j)
    for j in range(whole, width, LANES):
        for i in range(0, y.shape[0], BLOCK):
            _one(A, x, y, i, j)


@loop(**INLINED, fastmath=FAST)
def add_outer(G: Array, y: Array, x: Array, width: int) -> None:
    """Add y x^T, the sum of the outer products of the first columns of ``y (m, ...)`` and ``x (k, ...)``, to ``G (m, k)``."""
    for i in range(0, y.shape[0], BLOCK):
        for k in range(0, x.shape[0], BLOCK):
            s00 = s01 = s02 = s03 = s10 = s11 = s12 = s13 = ZERO
            s20 = s21 = s22 = s23 = s30 = s31 = s32 = s33 = ZERO
            for j in range(width):
                x0, x1, x2, x3 = x[k, j], x[k + 1, j], x[k + 2, j], x[k + 3, j]
                y0, y1, y2, y3 = y[i, j], y[i + 1, j], y[i + 2, j], y[i + 3, j]
                s00, s01, s02, s03 = s00 + y0 * x0, s01 + y0 * x1, s02 + y0 * x2, s03 + y0 * x3
                s10, s11, s12, s13 = s10 + y1 * x0, s11 + y1 * x1, s12 + y1 * x2, s13 + y1 * x3
                s20, s21, s22, s23 = s20 + y2 * x0, s21 + y2 * x1, s22 + y2 * x2, s23 + y2 * x3
                s30, s31, s32, s33 = s30 + y3 * x0, s31 + y3 * x1, s32 + y3 * x2, s33 + y3 * x3
            for row, sums in enumerate(
                ((s00, s01, s02, s03), (s10, s11, s12, s13), (s20, s21, s22, s23), (s30, s31, s32, s33))
            ):
                for column, total in enumerate(sums):
                    G[i + row, k + column] += total
