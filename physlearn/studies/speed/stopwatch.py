"""A stopwatch: the time of one call on any device, and a comparison of devices."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

import torch

ENOUGH = 1.0  # total time of the timed calls in seconds, after a first call that does not count
MOST = 5  # timed calls at most


class Taken(NamedTuple):
    """The time of a piece of work in seconds, and its memory in MB if it was measured."""

    seconds: float
    memory: float = math.nan


def side_by_side(
    devices: Sequence[str], measure: Callable[[str], Taken], work: float, rival: float | None = None, **told: Any
) -> Iterator[dict[str, Any]]:
    """Yield one row per device: labels, throughput, and ratio to a reference, which defaults to the first device."""
    for device in devices:
        took = measure(device)
        throughput = work / took.seconds
        rival = throughput if rival is None else rival
        yield {**told, "device": device, "throughput": throughput, "ratio": throughput / rival, "memory": took.memory}


def clocked(call: Callable[[], Any], device: str) -> Taken:
    """Return the median time of a few calls. Each call ends when the device has finished."""

    def once() -> float:
        start = time.perf_counter()
        call()
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    once()  # compiles, captures graphs, and allocates memory
    taken = [once()]
    while sum(taken) < ENOUGH and len(taken) < MOST:
        taken.append(once())
    return Taken(median(taken))
