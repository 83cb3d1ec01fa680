"""Trace a function of tensors once, into expressions of the elements of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from systems.autograd_mode import recorded
from systems.compiled.expression import Expression, Graph
from systems.compiled.operators import Operators, UntraceableError

FACTORIES = {"zeros", "ones", "empty", "full", "eye", "empty_strided"}
ITEM = "aten._local_scalar_dense.default"  # what a number or a truth value of a tensor comes from


def trace(
    function: Callable[..., Tensor], examples: Sequence[Tensor], variables: Sequence[np.ndarray], graph: Graph
) -> list[Expression]:
    """Return the elements of a function's result as expressions.

    Parameters
    ----------
    function : callable
        A function of tensors in float64, which returns a tensor in float64.
    examples : sequence of Tensor
        Arguments, whose shapes count.
    variables : sequence of arrays of Expression
        What stands for the elements of each argument.
    graph : Graph
        Receives the expressions.

    Returns
    -------
    list of Expression
        The elements of the result, in row-major order.

    Raises
    ------
    UntraceableError
        If the function cannot be traced: it branches on values, fails, or uses an operator that is unknown here.
    """
    tracer = _Tracer(graph)
    arguments = [example.detach().clone() for example in examples]
    for argument, variable in zip(arguments, variables, strict=True):
        tracer.know(argument, variable)
    try:
        with recorded(), tracer:
            result = function(*arguments)
    except UntraceableError:
        raise
    except Exception as error:
        what = (str(error).splitlines() or [""])[0][:200]
        raise UntraceableError(f"it cannot be traced ({type(error).__name__}: {what})") from error
    if not isinstance(result, Tensor):
        raise UntraceableError(f"it returns a {type(result).__name__}, not a tensor")
    return [graph.real(one) for one in tracer.value(result).reshape(-1)]


class _Tracer(TorchDispatchMode):
    """Does with arrays of expressions what torch does with tensors, operator by operator.

    Gradients and other transforms come for free, since they are made of the same operators.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph, self.operators = graph, Operators(graph)
        self.values: dict[int, tuple[Tensor, np.ndarray]] = {}  # with the tensors, so that no other gets the same identity

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from importing its compiler, which takes a second, only to switch it off here."""
        return False

    def know(self, tensor: Tensor, value: np.ndarray) -> None:
        """Let a tensor stand for an array of expressions."""
        self.values[id(tensor)] = (tensor, value)

    def value(self, tensor: Tensor) -> np.ndarray:
        """Return what a tensor stands for: expressions, or its own numbers."""
        if id(tensor) in self.values:
            return self.values[id(tensor)][1]
        return self.operators.array(tensor.detach().double() if tensor.is_floating_point() else tensor.detach())

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        result = func(*args, **options)
        if not any(self._known(one) for one in (*args, *options.values())):
            if str(func).split(".")[1] in FACTORIES and result.dtype == torch.float64:
                self.know(result, self.operators.array(result))  # elements may be assigned
            return result
        if str(func) == ITEM:
            raise UntraceableError("it branches on the value of a tensor, or turns it into a number")
        keep = str(func).startswith("aten.index")  # whose indices stay tensors of whole numbers
        arguments = [self._lifted(one, keep) for one in args]
        found = self.operators.find(str(func))(*arguments, **{name: self._lifted(one, keep) for name, one in options.items()})
        for tensor, value in zip(_listed(result), _listed(found), strict=True):
            if tensor.is_floating_point() and tensor.dtype != torch.float64:
                raise UntraceableError(f"it computes in {str(tensor.dtype).removeprefix('torch.')}")
            self.know(tensor, _without_scalars(value))
        return result

    def _known(self, value: Any) -> bool:
        if isinstance(value, list | tuple):
            return any(self._known(one) for one in value)
        return isinstance(value, Tensor) and id(value) in self.values

    def _lifted(self, value: Any, keep: bool) -> Any:
        """Return tensors among the arguments as arrays of expressions."""
        if isinstance(value, list | tuple):
            return [self._lifted(one, keep) for one in value]
        if not isinstance(value, Tensor) or (keep and id(value) not in self.values):
            return value
        return self.value(value)


def _listed(result: Any) -> list[Any]:
    return list(result) if isinstance(result, list | tuple) else [result]


def _without_scalars(value: Any) -> np.ndarray:
    """Return an expression as an array without axes: NumPy returns the element of such an array instead of the array."""
    if isinstance(value, np.ndarray):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array
