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
    """Yield one row per device: labels, throughput, and ratio to a rival's throughput, by default the first device's."""
    for device in devices:
        took = measure(device)
        throughput = work / took.seconds
        rival = throughput if rival is None else rival
        yield {**told, "device": device, "throughput": throughput, "ratio": throughput / rival, "memory": took.memory}


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
