"""Compiled functions: expressions as machine code, which is kept on disk."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np

from systems.atomic import atomically
from systems.compiled import loops
from systems.compiled.expression import Expression
from systems.compiled.source import source
from systems.compiled.tape import LONGEST, Tape

LANES = 16  # states side by side, so that the processor computes with several at once


class Function:
    """A function ``(t, z, p) -> out`` of a time, a state and parameters, which compiled solvers call by its address.

    Parameters
    ----------
    size : int
        Number of elements of the result.
    address : int
        Where the machine code is.
    data : ndarray
        Numbers that come before the parameters in the argument ``p``.
    """

    def __init__(self, size: int, address: int, data: np.ndarray) -> None:
        self.size, self.address, self.data = size, address, data

    @property
    def wide(self) -> int:
        """Where the machine code for ``LANES`` states side by side is; 0 if there is none."""
        return 0

    def __call__(self, t: float | np.ndarray, z: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Return the values, shape ``(n, M)``, at one time or n times and n states of shape ``(n, D)``."""
        from systems.compiled.signature import call_each  # compiled when it is first needed

        states = np.ascontiguousarray(z, dtype=float)
        times = np.ascontiguousarray(np.broadcast_to(np.asarray(t, dtype=float), len(states)))
        out = np.empty((len(states), self.size))
        call_each(self.address, times, states, self.arguments(parameters), out)
        return out

    def arguments(self, parameters: np.ndarray) -> np.ndarray:
        """Return what a solver passes as ``p``: ``data``, followed by the parameters."""
        return np.concatenate([self.data, np.asarray(parameters, float).reshape(-1)])


class CompiledFunction(Function):
    """A function that is given by expressions.

    Short functions are compiled to machine code of their own. Long ones are interpreted by machine code that is common to all,
    so that the time to compile does not grow with the dimension.

    Parameters
    ----------
    results : sequence of Expression
        The elements of the result, of the variables ``t``, ``z`` and ``p``.
    interpreted : bool, default False
        Whether a short function is interpreted, too.
    """

    def __init__(self, results: Sequence[Expression], *, interpreted: bool = False) -> None:
        self._results, tape = list(results), Tape(results)
        if len(tape) <= LONGEST and not interpreted:
            super().__init__(len(results), int(compiled(source(results)).address), np.empty(0))
        else:
            from systems.compiled.interpreter import interpret  # compiled when it is first needed

            super().__init__(len(results), int(interpret.address), tape.data)

    @cached_property
    def wide(self) -> int:
        """Where the machine code for ``LANES`` states side by side is; 0 for a function that is interpreted."""
        return int(compiled(source(self._results, LANES)).address) if not self.data.size else 0


@cache
def compiled(code: str) -> Any:
    """Return the function of a module with this code, which has an ``address``."""
    return _module(code).function


def _module(code: str) -> ModuleType:
    """Write a module into the cache folder and import it, or import it from memory if the folder cannot be written."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]} {_options()} {code}".encode()).hexdigest()[:24]
    name = f"systems_compiled_{digest}"
    place = loops.folder()
    if place is not None:
        path = place / "functions" / f"{name}.py"
        try:
            if not _holds(path, code):  # written once: numba takes a file that changes for another function
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomically(path) as temporary:
                    temporary.write_bytes(code.encode())
            return _imported(name, path)
        except OSError:  # the folder is full, or was removed
            pass
    module = ModuleType(name)
    exec(compile(code, name, "exec"), module.__dict__)  # our own code, from expressions
    return module


def _holds(path: Path, code: str) -> bool:
    """Return whether a file is there and holds this code; a damaged one does not."""
    try:
        return path.read_bytes() == code.encode()
    except FileNotFoundError:
        return False


@cache
def _options() -> str:
    """Return the source of what a module uses, which determines the machine code, too."""
    from systems.compiled import elementary, signature

    return "".join(Path(str(module.__file__)).read_text() for module in (elementary, signature))


def _imported(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None  # of a file that ends with .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba finds cached machine code only for modules that can be imported by name
    spec.loader.exec_module(module)
    return module
