"""The interpreter of tapes, compiled once."""

from __future__ import annotations

import math

import numpy as np
from numba import carray

from systems.compiled.elementary import cosine, exponential, sine
from systems.compiled.signature import pointer
from systems.compiled.tape import HEAD, KINDS

(
    COPY_Z, COPY_P, COPY_T, ADD, SUB, MUL, DIV, NEG, POW, SQRT, EXP, EXPM1, LOG, LOG1P, SIN, COS, TAN, ASIN, ACOS, ATAN, ATAN2,
    SINH, COSH, TANH, ASINH, ACOSH, ATANH, ERF, ABS, SIGN, FLOOR, MIN, MAX, LT, LE, EQ, NE, AND, OR, NOT, SELECT,
) = range(len(KINDS))  # fmt: skip


@pointer
def interpret(t, z, p, out):  # type: ignore[no-untyped-def]
    """Run the tape at the beginning of p (see `systems.compiled.tape.Tape.data`)."""
    length = carray(p, 1).view(np.int64)[0]
    bits = carray(p, length).view(np.int64)
    n_slots, n_numbers, n_groups, n_results = bits[1], bits[2], bits[3], bits[4]
    slots = np.empty(n_slots)
    for i in range(n_numbers):
        slots[i] = p[HEAD + i]
    heads = HEAD + n_numbers
    arguments = heads + 3 * n_groups
    for group in range(n_groups):
        kind, first, count = bits[heads + 3 * group], bits[heads + 3 * group + 1], bits[heads + 3 * group + 2]
        if kind == ADD:
            for i in range(count):
                slots[first + i] = slots[bits[arguments + 3 * i]] + slots[bits[arguments + 3 * i + 1]]
        elif kind == MUL:
            for i in range(count):
                slots[first + i] = slots[bits[arguments + 3 * i]] * slots[bits[arguments + 3 * i + 1]]
        elif kind == SUB:
            for i in range(count):
                slots[first + i] = slots[bits[arguments + 3 * i]] - slots[bits[arguments + 3 * i + 1]]
        elif kind == DIV:
            for i in range(count):
                slots[first + i] = slots[bits[arguments + 3 * i]] / slots[bits[arguments + 3 * i + 1]]
        elif kind == NEG:
            for i in range(count):
                slots[first + i] = -slots[bits[arguments + 3 * i]]
        elif kind == COPY_Z:
            for i in range(count):
                slots[first + i] = z[bits[arguments + 3 * i]]
        elif kind == COPY_P:
            for i in range(count):
                slots[first + i] = p[length + bits[arguments + 3 * i]]
        elif kind == COPY_T:
            for i in range(count):
                slots[first + i] = t
        elif kind == POW:
            for i in range(count):
                slots[first + i] = slots[bits[arguments + 3 * i]] ** slots[bits[arguments + 3 * i + 1]]
        elif kind == SQRT:
            for i in range(count):
                slots[first + i] = math.sqrt(slots[bits[arguments + 3 * i]])
        elif kind == EXP:
            for i in range(count):
                slots[first + i] = exponential(slots[bits[arguments + 3 * i]])
        elif kind == EXPM1:
            for i in range(count):
                slots[first + i] = math.expm1(slots[bits[arguments + 3 * i]])
        elif kind == LOG:
            for i in range(count):
                slots[first + i] = math.log(slots[bits[arguments + 3 * i]])
        elif kind == LOG1P:
            for i in range(count):
                slots[first + i] = math.log1p(slots[bits[arguments + 3 * i]])
        elif kind == SIN:
            for i in range(count):
                slots[first + i] = sine(slots[bits[arguments + 3 * i]])
        elif kind == COS:
            for i in range(count):
                slots[first + i] = cosine(slots[bits[arguments + 3 * i]])
        elif kind == TAN:
            for i in range(count):
                slots[first + i] = math.tan(slots[bits[arguments + 3 * i]])
        elif kind == ASIN:
            for i in range(count):
                slots[first + i] = math.asin(slots[bits[arguments + 3 * i]])
        elif kind == ACOS:
            for i in range(count):
                slots[first + i] = math.acos(slots[bits[arguments + 3 * i]])
        elif kind == ATAN:
            for i in range(count):
                slots[first + i] = math.atan(slots[bits[arguments + 3 * i]])
        elif kind == SINH:
            for i in range(count):
                slots[first + i] = math.sinh(slots[bits[arguments + 3 * i]])
        elif kind == COSH:
            for i in range(count):
                slots[first + i] = math.cosh(slots[bits[arguments + 3 * i]])
        elif kind == TANH:
            for i in range(count):
                slots[first + i] = math.tanh(slots[bits[arguments + 3 * i]])
        elif kind == ASINH:
            for i in range(count):
                slots[first + i] = math.asinh(slots[bits[arguments + 3 * i]])
        elif kind == ACOSH:
            for i in range(count):
                slots[first + i] = math.acosh(slots[bits[arguments + 3 * i]])
        elif kind == ATANH:
            for i in range(count):
                slots[first + i] = math.atanh(slots[bits[arguments + 3 * i]])
        elif kind == ERF:
            for i in range(count):
                slots[first + i] = math.erf(slots[bits[arguments + 3 * i]])
        elif kind == FLOOR:
            for i in range(count):
                slots[first + i] = math.floor(slots[bits[arguments + 3 * i]])
        elif kind == ATAN2:
            for i in range(count):
                slots[first + i] = math.atan2(slots[bits[arguments + 3 * i]], slots[bits[arguments + 3 * i + 1]])
        elif kind == ABS:
            for i in range(count):
                slots[first + i] = abs(slots[bits[arguments + 3 * i]])
        elif kind == SIGN:
            for i in range(count):
                slots[first + i] = (1.0 if slots[bits[arguments + 3 * i]] > 0.0 else 0.0) - (
                    1.0 if slots[bits[arguments + 3 * i]] < 0.0 else 0.0
                )
        elif kind == MIN:
            for i in range(count):
                slots[first + i] = min(slots[bits[arguments + 3 * i]], slots[bits[arguments + 3 * i + 1]])
        elif kind == MAX:
            for i in range(count):
                slots[first + i] = max(slots[bits[arguments + 3 * i]], slots[bits[arguments + 3 * i + 1]])
        elif kind == LT:
            for i in range(count):
                slots[first + i] = 1.0 if slots[bits[arguments + 3 * i]] < slots[bits[arguments + 3 * i + 1]] else 0.0
        elif kind == LE:
            for i in range(count):
                slots[first + i] = 1.0 if slots[bits[arguments + 3 * i]] <= slots[bits[arguments + 3 * i + 1]] else 0.0
        elif kind == EQ:
            for i in range(count):
                slots[first + i] = 1.0 if slots[bits[arguments + 3 * i]] == slots[bits[arguments + 3 * i + 1]] else 0.0
        elif kind == NE:
            for i in range(count):
                slots[first + i] = 1.0 if slots[bits[arguments + 3 * i]] != slots[bits[arguments + 3 * i + 1]] else 0.0
        elif kind == AND:
            for i in range(count):
                slots[first + i] = slots[bits[arguments + 3 * i]] * slots[bits[arguments + 3 * i + 1]]
        elif kind == OR:
            for i in range(count):
                slots[first + i] = max(slots[bits[arguments + 3 * i]], slots[bits[arguments + 3 * i + 1]])
        elif kind == NOT:
            for i in range(count):
                slots[first + i] = 1.0 - slots[bits[arguments + 3 * i]]
        elif kind == SELECT:
            for i in range(count):
                slots[first + i] = (
                    slots[bits[arguments + 3 * i + 1]]
                    if slots[bits[arguments + 3 * i]] != 0.0
                    else slots[bits[arguments + 3 * i + 2]]
                )
        arguments += 3 * count
    for i in range(n_results):
        out[i] = slots[bits[arguments + i]]
