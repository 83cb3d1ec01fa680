"""Cost of a meta-gradient: time and peak memory against the number of inner steps."""

from __future__ import annotations

import math
import multiprocessing
import re
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch

from physlearn import tasks
from physlearn.metalearning import MetaLearning
from physlearn.metalearning.gradient import Problem, unrolled
from physlearn.metalearning.inner import draw_batches
from physlearn.metalearning.outer import OuterLoop
from physlearn.studies.speed.inner_loops import TASKS
from physlearn.studies.speed.stopwatch import Taken, side_by_side

LINUX = sys.platform == "linux"
BATCH = 150


def apart(*asked: Any) -> Taken:
    """Run `measured` in a separate process, so that its memory is measured separately."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measured, *asked).result()


def measured(name: str, networks: int, steps: int, segments: int | None = None, device: str = "cpu") -> Taken:
    """Return the time of one unrolled meta-gradient in seconds, and the peak memory it adds in MB.

    The inner loop trains ``networks`` networks of 100 neurons of two types by Adam. For ``segments``, see `gradient.unrolled`.
    """
    torch.set_num_threads(1)
    loop = OuterLoop(tasks.get(name, orbits=20, device=device), MetaLearning(networks=networks, inner_learning_rate=1e-3), [0])
    inner = loop.by.inner

    def problem(steps: int) -> Problem:
        generator = torch.Generator().manual_seed(0)
        weights = inner.layout.draw(networks, generator, torch.float32)
        batches = draw_batches(len(inner.pairs), networks, steps, BATCH, generator)
        counted = torch.full((steps + 1,), 1 / steps, device=device)
        counted[-1] = 0
        start = inner.start(weights.to(device), torch.full((networks, 1), 1e-3, device=device))
        curves = inner_curves.expand(networks, -1, -1, -1).contiguous()
        return Problem(inner, start, curves, batches.to(device), counted)

    inner_curves = loop.grid.coefficients(loop.neurons[0].curves(loop.grid.x).detach()).unsqueeze(0)
    unrolled(problem(4))
    asked = problem(steps)
    _forget(device)
    before = _held(device)
    start = time.perf_counter()
    unrolled(asked, segments)
    after = _held(device)  # this waits until the device has finished
    return Taken(time.perf_counter() - start, after - before)


def rows(
    devices: Sequence[str], sizes: Sequence[int], networks: int, names: Sequence[str] = TASKS
) -> Iterator[dict[str, Any]]:
    """Yield the inner steps per second of all networks, and the ratio to the CPU, one row per case."""
    how = f"unrolled, {networks} networks"
    for name in names:
        for steps in sizes:
            measure = partial(apart, name, networks, steps, None)
            yield from side_by_side(devices, measure, steps, what="meta-gradient", case=name, how=how, size=steps)


def _forget(device: str) -> None:
    """Reset the peak memory."""
    if torch.device(device).type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif LINUX:
        Path("/proc/self/clear_refs").write_text("5")


def _held(device: str) -> float:
    """Return the peak memory in MB, or NaN if the operating system does not report it."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) / 2**20
    if not LINUX:
        return math.nan
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(peak) / 1024
