"""A stopwatch: how long one call takes, on any device, and on several beside each other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import torch

ENOUGH = 1.0  # second of calls, after a first one that is not counted
MOST = 5  # calls


class Taken(NamedTuple):
    """What a piece of work took: seconds, and memory [MB] where it was measured."""

    seconds: float
    memory: float = math.nan


def side_by_side(
    devices: Sequence[str], measure: Callable[[str], Taken], work: float, rival: float | None = None, **told: Any
) -> Iterator[dict[str, Any]]:
    """A row a device: what is told, the rate of its work, and the ratio to a rival's rate, by default the first device's."""
    for device in devices:
        took = measure(device)
        rate = work / took.seconds
        rival = rate if rival is None else rival
        yield {**told, "device": device, "rate": rate, "ratio": rate / rival, "memory": took.memory}


def clocked(call: Callable[[], Any], device: str) -> Taken:
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
    return Taken(median(taken))
