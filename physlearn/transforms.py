"""Whether torch itself looks at an operation: then it must be made of operations that torch knows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.autograd.forward_ad import unpack_dual


def transformed(*tensors: Tensor | None) -> bool:
    """Whether these are differentiated forwards or by a transform of torch.func (vmap, ...), or all is by torch.compile."""
    return torch.compiler.is_compiling() or any(
        x is not None and (is_functorch_wrapped_tensor(x) or unpack_dual(x).tangent is not None) for x in tensors
    )
