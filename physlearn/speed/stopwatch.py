"""A stopwatch: how long one call takes, on any device."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch

ENOUGH = 1.0  # second of calls, after a first one that is not counted
MOST = 5  # calls


def seconds(call: Callable[[], Any], device: str) -> float:
    """The median of a few calls, each until the device has done its work."""

    def once() -> float:
        start = time.perf_counter()
        call()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    once()  # compiles, captures, and takes memory
    taken = [once()]
    while sum(taken) < ENOUGH and len(taken) < MOST:
        taken.append(once())
    return median(taken)
