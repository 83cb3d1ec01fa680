"""What the texts of options stand for: numbers by name, widths, places, devices, systems and tasks."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import torch

import systems
from physlearn import tasks
from physlearn.cli import limits
from systems import InputError, System

DEVICES = ("cpu", "cuda")


def parameters(settings: list[str] | None) -> dict[str, float]:
    """Return the numbers given by ``--set``, by name."""
    given = {}
    for setting in settings or []:
        key, _, value = setting.partition("=")
        try:
            given[key] = float(value)
        except ValueError as error:
            raise InputError(f"--set takes a name and a number, such as mu=1.5, not {setting!r}") from error
        if not math.isfinite(given[key]):
            raise InputError(f"--set takes a finite number, such as mu=1.5, not {setting!r}")
    return given


def autonomous(name: str, settings: list[str] | None) -> System:
    """Return the system with the given parameters, or its suspension if it depends on time."""
    system = systems.get(name, **parameters(settings))
    return system if system.autonomous else systems.Suspension(system)


def task(name: str, data: Path | None, settings: list[str] | None, on: str) -> tasks.Task:
    """Return the task with the given settings, on a device; whole numbers are passed on as integers."""
    given: dict[str, Any] = {k: int(v) if v.is_integer() else v for k, v in parameters(settings).items()}
    if own := sorted({"name", "device", "data"} & set(given)):
        raise InputError(f"--set takes the numbers of a task, not its {own[0]}")
    if data is not None:
        given["data"] = data
    return tasks.get(name, device=device(on), **given)


def energy(system: System, value: float | None) -> dict[str, float]:
    """Return the energy as an argument of the system's ``sample``, or no argument if it is not given."""
    if value is None:
        return {}
    if "energy" not in inspect.signature(system.sample).parameters:
        raise InputError(f"{system.name} does not sample by energy; leave --energy out")
    return {"energy": value}


def widths(hidden: str) -> tuple[int, ...]:
    """Return the widths of the hidden layers."""
    if not hidden.isascii() or not all(width.strip().isdigit() for width in hidden.split(",")):
        raise InputError(f"--hidden takes widths, such as 100 or 64,64, not {hidden!r}")
    found = tuple(int(width) for width in hidden.split(","))
    limits.check_widths(found)
    return found


def device(name: str) -> str:
    """Return the device, if this machine has it."""
    try:
        if torch.device(name).type not in DEVICES:
            raise InputError(f"--device is cpu or cuda, not {name!r}")
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"there is no device {name!r} here; take cpu") from error
    return name


def surface(text: str | None) -> tuple[str, float] | None:
    """Return the coordinate of a surface of section and its value."""
    if text is None:
        return None
    coordinate, _, value = text.partition("=")
    try:
        return coordinate, float(value)
    except ValueError as error:
        raise InputError(f"--surface takes a coordinate and a number, such as x=0, not {text!r}") from error


def state(text: str | None, system: System) -> torch.Tensor | None:
    """Return a state given by its coordinates."""
    if text is None:
        return None
    try:
        found = torch.tensor([float(value) for value in text.split(",")], dtype=torch.float64)
    except ValueError as error:
        raise InputError(f"--at takes numbers, such as 2.0,0.0, not {text!r}") from error
    if len(found) != system.dim or not found.isfinite().all():
        raise InputError(f"--at takes {system.dim} finite numbers, {', '.join(system.coordinates)}, not {text!r}")
    return found


def interval(text: str | None) -> tuple[str, tuple[float, float]] | None:
    """Return the name of a parameter, and its first and last value."""
    if text is None:
        return None
    name, _, values = text.partition("=")
    first, _, last = values.partition(":")
    try:
        return name, (float(first), float(last))
    except ValueError as error:
        raise InputError(f"--continue takes a parameter and its range, such as mu=0.1:3, not {text!r}") from error


def markers(text: str | None) -> str | list[tuple[float, float]] | None:
    """Return names of colours as they are, pixels as numbers."""
    if text is None or not text[:1].isdigit():
        return text
    try:
        return [(float(x), float(y)) for x, y in (place.split(",") for place in text.split(";"))]
    except ValueError as error:
        raise InputError(
            f"--markers takes colours, such as red,blue, or pixels, such as 310,40;305,400, not {text!r}"
        ) from error
