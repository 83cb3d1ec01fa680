"""Piecewise cubics as functions of their argument and of their coefficients, differentiable any number of times.

The two autograd functions in this module are linear in the tensor that they take besides x, and each is the adjoint of the
other, so their derivatives are again the same two functions. Training a network, the double backward pass of an HNN, and the
gradient through a whole training run all use the same two passes over the data. On the CPU a pass is a compiled loop,
elsewhere a few tensor operations.

The coefficients ``(*stack, types, cells, 4)`` belong to the powers of the distance from the left end of the cell, in steps.
The argument x is ``(*stack, ..., neurons)``. Each member of the stack has its own tables, which divide its neurons into
contiguous blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor

from physlearn.activations import piecewise_cubic_loops
from physlearn.activations.activation import neurons_per_type
from physlearn.transforms import transformed
from systems import InputError


class Grid(NamedTuple):
    """The grid of the cells: cell i begins at ``start + i step``, and the first and the last cell extend to infinity."""

    start: float
    step: float


def evaluate(x: Tensor, coefficients: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """Return the value and its derivative, in one pass.

    Under the transforms of torch.func (vmap, jvp, ...) and torch.compile, tensor operations compute the same, because these
    transforms cannot handle compiled loops.

    Raises InputError if x does not begin with the axes of the stack of the coefficients.
    """
    stack = coefficients.shape[:-3]
    if x.shape[: len(stack)] != stack:
        raise InputError(f"a stack {tuple(stack)} of tables needs an input (*stack, ..., neurons), not {tuple(x.shape)}")
    if x.ndim == 0:  # a single neuron
        value, slope = evaluate(x.unsqueeze(0), coefficients, grid)
        return value.squeeze(0), slope.squeeze(0)
    if transformed(x, coefficients):
        return _by_operations(x, coefficients, grid)
    return _Evaluate.apply(x, coefficients, grid)


def derivative(coefficients: Tensor, grid: Grid) -> Tensor:
    """Return the coefficients of the derivative with respect to x."""
    _, a, b, c = coefficients.unbind(-1)
    return torch.stack([a, 2 * b, 3 * c, torch.zeros_like(a)], dim=-1) / grid.step


def _derivative_adjoint(sums: Tensor, grid: Grid) -> Tensor:
    a, b, c, _ = sums.unbind(-1)
    return torch.stack([torch.zeros_like(a), a, 2 * b, 3 * c], dim=-1) / grid.step


def _locate(x: Tensor, types: int, cells: int, grid: Grid) -> tuple[Tensor, Tensor]:
    """Return the row of each x ``(stack, n, neurons)`` among the cells of all tables, and its distance from the left end."""
    s = (x - grid.start) / grid.step
    cell = s.detach().floor().nan_to_num(0).clamp(0, cells - 1)
    table = types * torch.arange(len(x), device=x.device).view(-1, 1, 1) + _types(x.shape[-1], types, x.device)
    return cell.long() + cells * table, s - cell


def _types(neurons: int, types: int, device: torch.device) -> Tensor:
    """Return the type of each neuron, computed on the device, because a copy to it would have to synchronise."""
    neuron = torch.arange(neurons, device=device)
    *ends, _ = accumulate(neurons_per_type(neurons, types))
    return sum((neuron >= end for end in ends), torch.zeros_like(neuron))


def _blocks(x: Tensor, stack: Sequence[int]) -> Tensor:
    """Return x as ``(stack, n, neurons)``, where any of these may be 0."""
    return x.reshape(prod(stack), prod(x.shape[len(stack) : -1]), x.shape[-1])


def _pass(x: Tensor, coefficients: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    if not piecewise_cubic_loops.applies(x, coefficients):
        return _by_operations(x, coefficients, grid)
    *stack, types, cells, _ = coefficients.shape
    value, slope = piecewise_cubic_loops.evaluate(_blocks(x, stack), coefficients.reshape(-1, types, cells, 4), *grid)
    return value.view(x.shape), slope.view(x.shape)


def _by_operations(x: Tensor, coefficients: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    *stack, types, cells, _ = coefficients.shape
    index, u = _locate(_blocks(x, stack), types, cells, grid)
    a, b, c, d = coefficients.reshape(-1, 4)[index].unbind(-1)
    value, slope = a + u * (b + u * (c + u * d)), (b + u * (2 * c + 3 * u * d)) / grid.step
    return value.view(x.shape), slope.view(x.shape)


_by_argument_only = False


@contextmanager
def by_argument_only() -> Iterator[None]:
    """Return a context in which backward passes skip the gradients with respect to the coefficients, but keep their graphs.

    A step of an inner loop needs only the gradient with respect to the weights, and autograd does not tell a function which
    of its inputs' gradients are requested.
    """
    global _by_argument_only
    before, _by_argument_only = _by_argument_only, True
    try:
        yield
    finally:
        _by_argument_only = before


class _Evaluate(torch.autograd.Function):
    """Map (x, coefficients) to the value and its derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, coefficients: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
        value, slope = _pass(x, coefficients, grid)
        ctx.grid = grid
        ctx.save_for_backward(x, coefficients, slope)
        ctx.set_materialize_grads(False)
        return value, slope

    @staticmethod
    def backward(ctx: Any, g: Tensor | None, h: Tensor | None) -> tuple[Tensor | None, Tensor | None, None]:
        x, coefficients, slope = ctx.saved_tensors
        grid = ctx.grid
        dx = dc = None
        if ctx.needs_input_grad[0]:
            if h is None and not torch.is_grad_enabled():
                dx = None if g is None else g * slope  # computed in the forward pass
            else:
                first, second = evaluate(x, derivative(coefficients, grid), grid)
                dx = _sum(None if g is None else g * first, None if h is None else h * second)
        if ctx.needs_input_grad[1] and not _by_argument_only:
            shape = tuple(coefficients.shape)
            of_value, of_slope = (None if part is None else _Collect.apply(part, x, shape, grid) for part in (g, h))
            dc = _sum(of_value, None if of_slope is None else _derivative_adjoint(of_slope, grid))
        return dx, dc, None


class _Collect(torch.autograd.Function):
    """Map (g, x) to the sums of g times the powers of the distance in each cell; linear in g."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor, shape: tuple[int, ...], grid: Grid) -> Tensor:
        ctx.grid = grid
        ctx.save_for_backward(g, x)
        *stack, types, cells, _ = shape
        blocks, weights = _blocks(x, stack), _blocks(g, stack)
        if piecewise_cubic_loops.applies(x, g):
            return piecewise_cubic_loops.collect(weights, blocks, types, cells, *grid).view(shape)
        index, u = _locate(blocks, types, cells, grid)
        powers = torch.stack([weights, weights * u, weights * u**2, weights * u**3], dim=-1)
        sums = torch.zeros(prod(shape[:-1]), 4, dtype=x.dtype, device=x.device)
        return sums.index_add(0, index.flatten(), powers.flatten(0, -2)).view(shape)

    @staticmethod
    def backward(ctx: Any, sums: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        g, x = ctx.saved_tensors
        value, slope = evaluate(x, sums, ctx.grid)
        return value, g * slope if ctx.needs_input_grad[1] else None, None, None


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a + b
