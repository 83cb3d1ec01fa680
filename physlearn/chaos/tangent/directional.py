"""Directional derivatives by forward-mode differentiation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from systems.autograd_mode import ready

ARITHMETIC = frozenset(
    getattr(of, name)
    for of, names in (
        (torch, ("add", "sub", "mul", "div")),
        (Tensor, ("add", "sub", "mul", "div", "__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__")),
        (Tensor, ("__truediv__", "__rtruediv__")),
    )
    for name in names
)


def directional(f: Callable[[Tensor], Tensor], z: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return f(z) and its directional derivative along w, both with the shape of f(z).

    >>> directional(torch.sin, torch.zeros(2), torch.tensor([1.0, 2.0]))
    (tensor([0., 0.]), tensor([1., 2.]))
    """
    ready()
    with forward_ad.dual_level(), _Constants(z):
        value, derivative = forward_ad.unpack_dual(f(forward_ad.make_dual(z, w)))
        return value, torch.zeros_like(value) if derivative is None else derivative


class _Constants(TorchFunctionMode):
    """Give the constants in a sum or a product a zero derivative.

    Without it, torch derives one for every operation, which takes up to a hundred times as long as the operation itself.
    """

    def __init__(self, like: Tensor) -> None:
        super().__init__()
        self.like = like
        self.numbers: dict[float, Tensor] = {}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in ARITHMETIC and len(args) == 2 and any(map(_has_derivative, args)):
            args = tuple(self.with_derivative(operand) for operand in args)
        elif func is functional.linear and len(args) == 3 and args[2] is not None and _has_derivative(args[0]):
            return args[0] @ args[1].mT + self.with_derivative(args[2])
        return func(*args, **(kwargs or {}))

    def with_derivative(self, operand: Any) -> Any:
        """Return the operand with a zero derivative if it is a constant."""
        if isinstance(operand, int | float):
            if operand not in self.numbers:
                self.numbers[operand] = self.with_derivative(self.like.new_tensor(operand))
            return self.numbers[operand]
        if isinstance(operand, Tensor) and operand.is_floating_point() and not _has_derivative(operand):
            return forward_ad.make_dual(operand, torch.zeros_like(operand))
        return operand


def _has_derivative(operand: Any) -> bool:
    return isinstance(operand, Tensor) and forward_ad.unpack_dual(operand).tangent is not None
