"""Conversion of settings and provenance to the types that JSON supports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def json_ready(value: object) -> Any:
    """Convert NumPy and torch numbers and arrays in a value to plain numbers and lists, at any depth.

    A value that cannot be converted is returned unchanged, so that ``json.dumps`` raises its TypeError.

    >>> json_ready({"seed": np.int64(3), "masses": np.array([1.0, 2.0])})
    {'seed': 3, 'masses': [1.0, 2.0]}
    """
    if isinstance(value, Mapping):
        return {json_ready(key): json_ready(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(part) for part in value]
    if isinstance(value, np.floating):
        return float(value)
    if isinstance(value, np.generic | np.ndarray | torch.Tensor):
        return json_ready(value.tolist())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return str(value) if isinstance(value, torch.dtype | torch.device) else value
