"""Speed of the inner trainings in an outer step by evolution: compiled loops on the CPU, a replayed graph on a GPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from physlearn import tasks
from physlearn.metalearning import MetaLearning
from physlearn.metalearning.by_evolution import ByEvolution
from physlearn.metalearning.outer import OuterLoop
from physlearn.studies.speed.stopwatch import Taken, clocked, side_by_side

TASKS = ("van-der-pol", "henon-heiles-hnn")


def rows(devices: Sequence[str], sizes: Sequence[int], steps: int) -> Iterator[dict[str, Any]]:
    """Yield the training steps per second of all networks in an outer step, and the ratio to the CPU, one row per case."""
    for name in TASKS:
        for size in sizes:

            def measure(device: str, name: str = name, size: int = size) -> Taken:
                settings = MetaLearning(variant="evolution", pairs=size // 2, inner_steps=steps, held_out=True)
                loop = OuterLoop(tasks.get(name, orbits=20, device=device), settings, [0])
                assert isinstance(loop.by, ByEvolution)
                return clocked(partial(loop.by.estimate, loop.neurons), device)

            yield from side_by_side(devices, measure, size * steps, what="evolution", case=name, how="evolution", size=size)
