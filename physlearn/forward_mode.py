"""Forward-mode differentiation, of which torch, when it is first used, warns the user for what torch itself does inside."""

from __future__ import annotations

import warnings
from functools import cache

import torch


@cache
def ready() -> None:
    """Have torch load what it needs, once and quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))
