"""Tapes: expressions as data, which one compiled interpreter runs.

The operations are grouped by level and kind. The operations of a group do not depend on each other, so that the interpreter
runs a group as one loop, and the code does not grow with the number of expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from systems.compiled.expression import Expression, needed

LONGEST = 1500  # operations; longer functions are interpreted, because machine code of their own takes seconds to compile

HEAD = 5  # entries of the head of a tape

KINDS = (
    *("copy_z", "copy_p", "copy_t", "add", "sub", "mul", "div", "neg", "pow", "sqrt", "exp", "expm1", "log", "log1p", "sin"),
    *("cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "abs", "sign"),
    *("floor", "min", "max", "lt", "le", "eq", "ne", "and", "or", "not", "select"),
)


class Tape:
    """Expressions in the order in which they are computed.

    Parameters
    ----------
    results : sequence of Expression
        The elements of the result, of the variables ``t``, ``z`` and ``p``.
    """

    def __init__(self, results: Sequence[Expression]) -> None:
        self.results = list(results)
        self.nodes = needed(results)

    def __len__(self) -> int:
        return sum(one.operation not in ("variable", "number") for one in self.nodes)

    @cached_property
    def data(self) -> np.ndarray:
        """The tape as an array of float64, in which whole numbers are stored as int64.

        It consists of a head (its length, and the numbers of slots, numbers, groups and results), the numbers, the groups
        (kind, first slot and length), three arguments of each operation, and the slots of the results.
        """
        numbers = [one for one in self.nodes if one.operation == "number"]
        groups = self._groups()
        slots = {one.index: place for place, one in enumerate(numbers)}
        heads: list[int] = []
        arguments: list[int] = []
        for kind, members in groups:
            heads += [KINDS.index(kind), len(slots), len(members)]
            for one in members:
                slots[one.index] = len(slots)
            for one in members:
                given = [one.arguments[1]] if one.operation == "variable" else [slots[a.index] for a in one.arguments]
                arguments += [*given, 0, 0][:3]
        ends = [slots[one.index] for one in self.results]
        whole = [*heads, *arguments, *ends]
        head = [HEAD + len(numbers) + len(whole), len(slots), len(numbers), len(groups), len(ends)]
        values = np.array([float(one.arguments[0]) for one in numbers])
        return np.concatenate([_stored(head), values, _stored(whole)])

    def _groups(self) -> list[tuple[str, list[Expression]]]:
        """Return the kinds and members of the groups, each after those on which it depends."""
        level: dict[int, int] = {}
        members: dict[tuple[int, str], list[Expression]] = {}
        for one in self.nodes:
            inner = [level[a.index] for a in one.arguments if isinstance(a, Expression)]
            level[one.index] = 1 + max(inner, default=-1)
            if one.operation != "number":
                kind = f"copy_{one.arguments[0]}" if one.operation == "variable" else one.operation
                members.setdefault((level[one.index], kind), []).append(one)
        return [(kind, members[depth, kind]) for depth, kind in sorted(members)]


def _stored(numbers: Sequence[int]) -> np.ndarray:
    return np.array(numbers, dtype=np.int64).view(np.float64)
