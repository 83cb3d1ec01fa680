"""The signature of compiled functions, by which compiled solvers call them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.ccallback import CFunc
from numba.extending import intrinsic

from systems.compiled import loops

NUMBERS = types.CPointer(types.float64)
SIGNATURE = types.void(types.float64, NUMBERS, NUMBERS, NUMBERS)  # (t, z, p, out): writes the result into out

_held: list[Any] = []  # machine code is never freed, because an address may be in use wherever it was copied to


class pointer:  # noqa: N801  # a decorator
    """Compile a function of this signature when its ``address`` is first needed, and keep its machine code: a decorator."""

    def __init__(self, function: Callable[..., None]) -> None:
        self._function, self.__doc__ = function, function.__doc__

    @cached_property
    def address(self) -> int:
        """Address of the machine code."""
        function = self._function
        compiled: Any = CFunc(function, (SIGNATURE.args, SIGNATURE.return_type), {}, {"error_model": "numpy"})
        if Path(function.__code__.co_filename).is_file() and (where := loops.folder()) is not None:
            with suppress(RuntimeError):  # numba cannot cache this file
                compiled._cache = loops.kept_in(where, function)
        compiled.compile()
        _held.append(compiled)
        return int(compiled.address)


def _call_into(typing: Any, address: Any, t: Any, z: Any, p: Any, out: Any, row: Any) -> Any:
    """Call the compiled function at an address, inside of a compiled function, with one row of a matrix for its result."""
    signature = types.void(types.int64, types.float64, z, p, out, types.intp)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = ir.DoubleType()
        kind = ir.FunctionType(ir.VoidType(), [number, *[number.as_pointer()] * 3])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        state, parameters, matrix = (
            context.make_array(array)(context, builder, value)
            for array, value in zip(signature.args[2:5], arguments[2:5], strict=True)
        )
        columns = builder.extract_value(matrix.shape, 1)
        into = builder.gep(matrix.data, [builder.mul(arguments[5], columns)])
        builder.call(function, [arguments[1], state.data, parameters.data, into])
        return context.get_dummy_value()

    return signature, generate


call_into: Any = intrinsic(_call_into)  # in compiled code, it is called without the argument ``typing``


@loops.loop(nogil=True)
def call_each(address: int, t: np.ndarray, z: np.ndarray, p: np.ndarray, out: np.ndarray) -> None:
    """Call a compiled function for each time in ``t`` (n,) and each state in ``z`` (n, D), and write into ``out`` (n, M)."""
    for i in range(z.shape[0]):
        call_into(address, t[i], z[i], p, out, i)
