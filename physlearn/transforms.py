"""Detect transforms of torch, which can only handle functions that are made of torch's own operations."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.forward_ad import unpack_dual


def transformed(*tensors: Tensor | None) -> bool:
    """Return whether torch.compile, forward-mode differentiation or torch.func (vmap, ...) transforms these tensors."""
    return torch.compiler.is_compiling() or any(
        x is not None and (is_functorch_wrapped_tensor(x) or unpack_dual(x).tangent is not None) for x in tensors
    )
