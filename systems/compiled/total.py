"""The sum of several fields, such as a known part of a flow and a learned one, for compiled solvers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import carray

from systems.compiled.field import Field, ParametrizedField
from systems.compiled.function import Function
from systems.compiled.signature import call_into, pointer

HEAD, PART = 3, 2  # entries of the head, and of each part in it


@pointer
def total(t: float, z: Any, p: Any, out: Any) -> None:
    """Write the sum of some functions.

    The first numbers of p are the number of functions, that of the elements of the results and that of the coordinates,
    followed, for each function, by its address and the length of its numbers, and then by these numbers.
    """
    head = carray(p, HEAD).view(np.int64)
    functions, size, dim = head[0], head[1], head[2]
    at = HEAD + PART * functions
    parts = carray(p, at).view(np.int64)
    state, found = np.empty(dim), np.empty((1, size))
    for i in range(dim):
        state[i] = z[i]
    for i in range(size):
        out[i] = 0.0
    for k in range(functions):
        address, length = parts[HEAD + PART * k], parts[HEAD + PART * k + 1]
        numbers = carray(p, at + length)[at:]
        call_into(address, t, state, numbers, found, 0)
        for i in range(size):
            out[i] += found[0, i]
        at += length


class Total(Field):
    """The sum of some fields of the same coordinates.

    Parameters
    ----------
    fields
        The fields, with the numbers that their parameters have.
    """

    def __init__(self, fields: Sequence[ParametrizedField]) -> None:
        super().__init__()
        self.fields = list(fields)

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return self.fields[0].field.dim

    @property
    def cost(self) -> int:
        """Approximate number of operations of one evaluation."""
        return sum(one.field.cost for one in self.fields)

    @property
    def driven(self) -> bool:
        """Whether a field may depend on time."""
        return any(one.field.driven for one in self.fields)

    def make(self, begin: int, end: int | None) -> Function:
        """Return the rates of some coordinates."""
        return self._sum([one.field.part(begin, end) for one in self.fields])

    def make_jacobian(self) -> Function:
        """Return the derivatives by the state."""
        return self._sum([one.field.jacobian for one in self.fields])

    def make_tangent(self, k: int) -> Field:
        """Return the field of a state and k deviation vectors."""
        return Total([ParametrizedField(one.field.tangent(k), one.parameters.tolist()) for one in self.fields])

    def _sum(self, functions: Sequence[Function]) -> Function:
        numbers = [one.arguments(field.parameters) for one, field in zip(functions, self.fields, strict=True)]
        head = [len(functions), functions[0].size, self.dim]
        for one, own in zip(functions, numbers, strict=True):
            head += [one.address, len(own)]
        data = np.concatenate([np.array(head, dtype=np.int64).view(np.float64), *numbers])
        return Function(functions[0].size, int(total.address), data)
