"""Trace a function of tensors once, into expressions of the elements of its arguments."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from systems.autograd_mode import recorded
from systems.compiled.expression import Expression, Graph
from systems.compiled.operators import Operators, UntraceableError

Traced = list[Expression]


def trace(
    function: Callable[..., Tensor], examples: Sequence[Tensor], variables: Sequence[np.ndarray], graph: Graph
) -> Traced:
    """Return the elements of the function's result as expressions.

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
    from torch.fx.experimental.proxy_tensor import make_fx

    try:
        with recorded():
            traced = make_fx(lambda *arguments: function(*arguments))(*(example.detach().clone() for example in examples))
    except UntraceableError:
        raise
    except Exception as error:
        raise UntraceableError(f"it cannot be traced ({type(error).__name__}: {str(error).splitlines()[0][:200]})") from error
    return _Interpreter(traced, variables, graph).results()


class _Interpreter:
    """Runs a traced graph of torch with arrays of expressions in place of tensors."""

    def __init__(self, module: torch.fx.GraphModule, variables: Sequence[np.ndarray], graph: Graph) -> None:
        self.module, self.variables, self.graph = module, variables, graph
        self.operators = Operators(graph)
        self.values: dict[torch.fx.Node, Any] = {}

    def results(self) -> Traced:
        variables = iter(self.variables)
        for node in self.module.graph.nodes:
            if node.op == "placeholder":
                self.values[node] = next(variables)
            elif node.op == "get_attr":
                self.values[node] = self._constant(getattr(self.module, str(node.target)))
            elif node.op == "output":
                return self._elements(self._value(node.args[0]))
            else:
                self.values[node] = _without_scalars(self._call(node))
        raise UntraceableError("it returns nothing")

    def _constant(self, value: Tensor) -> Tensor:
        if value.is_floating_point() and value.dtype != torch.float64 and value.numel() > 0:
            raise UntraceableError(f"it contains numbers in {str(value.dtype).removeprefix('torch.')}")
        return value.detach()

    def _value(self, argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            return self.values[argument]
        if isinstance(argument, list | tuple):
            return [self._value(one) for one in argument]
        return argument

    def _call(self, node: torch.fx.Node) -> Any:
        arguments = [self._value(argument) for argument in node.args]
        options = {name: self._value(value) for name, value in node.kwargs.items()}
        if node.target is operator.getitem:
            return arguments[0][arguments[1]]
        if not _symbolic([*arguments, *options.values()]):
            return node.target(*arguments, **options)  # type: ignore[operator]
        name = str(node.target)
        mixed = [self._lifted(one) for one in arguments] if not name.startswith("aten.index") else arguments
        return self.operators.find(name)(*mixed, **options)

    def _lifted(self, value: Any) -> Any:
        """Return tensors of numbers as arrays of expressions."""
        if isinstance(value, Tensor):
            return self.operators.array(value)
        return [self._lifted(one) for one in value] if isinstance(value, list) else value

    def _elements(self, result: Any) -> Traced:
        if not isinstance(result, Tensor | np.ndarray):
            raise UntraceableError(f"it returns a {type(result).__name__}, not a tensor")
        return [self.graph.real(one) for one in self.operators.array(result).reshape(-1)]


def _without_scalars(value: Any) -> Any:
    """Return an expression as an array without axes: NumPy returns the element of such an array instead of the array."""
    if not isinstance(value, Expression):
        return value
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _symbolic(values: Sequence[Any]) -> bool:
    return any(
        (isinstance(value, np.ndarray) and value.dtype == object) or (isinstance(value, list) and _symbolic(value))
        for value in values
    )
