"""Piecewise cubics as functions of their argument and of their coefficients, differentiable any number of times.

Both functions here are linear in the tensor that they take beside x, and each is the other's adjoint, so their derivatives
are themselves again: a network's training, an HNN's double backward pass and a gradient through a whole training all come
out of the same two passes over the data. On the CPU a pass is a compiled loop, elsewhere a few tensor operations.

coefficients: ``(*stack, types, cells, 4)``, of the powers of the distance from the cell's left end in steps. x: ``(*stack,
..., neurons)``; each member of the stack has tables of its own, and its neurons are shared out to them in contiguous blocks.
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
    """Cell i begins at ``start + i step``; the first and the last cell reach to infinity."""

    start: float
    step: float


def evaluate(x: Tensor, coefficients: Tensor, grid: Grid) -> tuple[Tensor, Tensor]:
    """The value and its derivative, in one pass.

    Under the transforms of torch.func (vmap, jvp, ...) and torch.compile the same comes from tensor operations, which they
    know.

    Raises InputError where x does not begin with the axes of the coefficients' stack.
    """
    stack = coefficients.shape[:-3]
    if x.shape[: len(stack)] != stack:
        raise InputError(f"a stack {tuple(stack)} of tables needs arguments (*stack, ..., neurons), not {tuple(x.shape)}")
    if x.ndim == 0:  # a neuron alone
        value, slope = evaluate(x.unsqueeze(0), coefficients, grid)
        return value.squeeze(0), slope.squeeze(0)
    if transformed(x, coefficients):
        return _by_operations(x, coefficients, grid)
    return _Evaluate.apply(x, coefficients, grid)


def derivative(coefficients: Tensor, grid: Grid) -> Tensor:
    """The coefficients of the derivative by x."""
    _, a, b, c = coefficients.unbind(-1)
    return torch.stack([a, 2 * b, 3 * c, torch.zeros_like(a)], dim=-1) / grid.step


def _derivative_adjoint(sums: Tensor, grid: Grid) -> Tensor:
    a, b, c, _ = sums.unbind(-1)
    return torch.stack([torch.zeros_like(a), a, 2 * b, 3 * c], dim=-1) / grid.step


def _locate(x: Tensor, types: int, cells: int, grid: Grid) -> tuple[Tensor, Tensor]:
    """The row of each x, ``(stack, n, neurons)``, among the cells of all tables, and its distance from the cell's left end."""
    s = (x - grid.start) / grid.step
    cell = s.detach().floor().nan_to_num(0).clamp(0, cells - 1)
    table = types * torch.arange(len(x), device=x.device).view(-1, 1, 1) + _types(x.shape[-1], types, x.device)
    return cell.long() + cells * table, s - cell


def _types(neurons: int, types: int, device: torch.device) -> Tensor:
    """The type of each neuron, without a copy to the device, for which that would have to wait."""
    neuron = torch.arange(neurons, device=device)
    *ends, _ = accumulate(neurons_per_type(neurons, types))
    return sum((neuron >= end for end in ends), torch.zeros_like(neuron))


def _blocks(x: Tensor, stack: Sequence[int]) -> Tensor:
    """(stack, n, neurons), where any of them may be 0."""
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
    """Inside, backward passes do not look for gradients by the coefficients, though graphs of them are kept.

    For the gradient of an inner loop's step, which is by the weights alone: autograd does not tell a function which of its
    inputs' gradients are asked for.
    """
    global _by_argument_only
    before, _by_argument_only = _by_argument_only, True
    try:
        yield
    finally:
        _by_argument_only = before


class _Evaluate(torch.autograd.Function):
    """(x, coefficients) to value and derivative."""

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
                dx = None if g is None else g * slope  # found in the forward pass
            else:
                first, second = evaluate(x, derivative(coefficients, grid), grid)
                dx = _sum(None if g is None else g * first, None if h is None else h * second)
        if ctx.needs_input_grad[1] and not _by_argument_only:
            shape = tuple(coefficients.shape)
            of_value, of_slope = (None if part is None else _Collect.apply(part, x, shape, grid) for part in (g, h))
            dc = _sum(of_value, None if of_slope is None else _derivative_adjoint(of_slope, grid))
        return dx, dc, None


class _Collect(torch.autograd.Function):
    """(g, x) to sums; linear in g."""

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
