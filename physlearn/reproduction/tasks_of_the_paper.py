"""The five tasks that the paper's activations are learned on."""

from __future__ import annotations

from pathlib import Path

from physlearn import tasks
from physlearn.reproduction.figures import Request
from physlearn.tasks import Task

RECORDING = "clock_angles.csv"


def tasks_of_the_paper(request: Request) -> dict[str, Task]:
    """By name, in the order of the figures: digits, an oscillator, stars by two kinds of networks, and a clock."""
    simulated = ("mnist1d", "van-der-pol", "henon-heiles-nn", "henon-heiles-hnn")
    return {**{name: tasks.get(name, device=request.device) for name in simulated}, "pendulum-clock-hnn": clock(request)}


def clock(request: Request) -> Task:
    """The clock: recorded, or simulated where there is no recording."""
    file = recording(request)
    return tasks.get("pendulum-clock-hnn", device=request.device, **({} if file is None else {"data": file}))


def recording(request: Request) -> Path | None:
    """The clock's recorded angles, if there are any."""
    file = None if request.data is None else request.data / RECORDING
    return file if file is not None and file.is_file() else None
