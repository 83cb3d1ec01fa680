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
from physlearn.models.settings import checked_widths
from systems import InputError, System, UnknownNameError
from systems.maps import Map
from systems.sampling import on_section, plane_of
from systems.size import check_memory

DEVICES = ("cpu", "cuda")
TABLES = (".csv", ".tsv", ".txt", ".dat")
FAR = 10  # escape energies, above which orbits leave at once
SEEN = 1000  # states whose range is that of a grid on the surface of section


def parameters(settings: list[str] | None, option: str = "--set") -> dict[str, float]:
    """Return the numbers given by ``--set`` or another option, by name."""
    given = {}
    for setting in settings or []:
        key, _, value = setting.partition("=")
        try:
            given[key] = float(value)
        except ValueError as error:
            raise InputError(f"{option} takes a name and a number, such as mu=1.5, not {setting!r}") from error
        if not math.isfinite(given[key]):
            raise InputError(f"{option} takes a finite number, such as mu=1.5, not {setting!r}")
    return given


def autonomous(name: str, settings: list[str] | None) -> System:
    """Return the system with the given parameters, or its suspension if it depends on time."""
    system = systems.get(name, **parameters(settings))
    return system if system.autonomous else systems.Suspension(system)


def system_or_map(name: str, settings: list[str] | None) -> System | Map:
    """Return the system or the map with the given parameters."""
    if name in systems.maps.names():
        return systems.maps.get(name, **parameters(settings))
    if name not in systems.names():
        raise UnknownNameError.of("no system or map", name, [*systems.names(), *systems.maps.names()])
    return systems.get(name, **parameters(settings))


def listed(text: str | None) -> list[str] | None:
    """Return the names in a text such as ``x,y``."""
    return None if not text else [part.strip() for part in text.split(",")]


def is_file(name: str) -> bool:
    """Return whether a name is that of a file of measurements, rather than of a system.

    Raises InputError for what can only be a path, but is no file.
    """
    path = Path(name)
    if path.suffix.lower() in TABLES:
        return True
    if name in systems.names() or path.is_file():
        return name not in systems.names()
    if path.is_dir() or path.suffix or len(path.parts) > 1:
        state = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{name} {state}: give a CSV file of your own measurements, or a system of `physlearn systems`")
    return False


def span(text: str, option: str) -> tuple[str, tuple[float, float, int]]:
    """Return the name, the lowest and the highest value, and the number of values."""
    name, _, numbers = text.partition("=")
    try:
        low, high, count = numbers.split(":")
        found = float(low), float(high), int(count)
    except ValueError as error:
        raise InputError(f"{option} takes a name, a range and a number, such as mu=0:3:200, not {text!r}") from error
    if not (math.isfinite(found[0]) and math.isfinite(found[1]) and found[0] < found[1] and found[2] >= 1):
        raise InputError(f"{option} takes a lowest value, a higher one and at least 1 value, not {text!r}")
    check_memory(found[2], f"{found[2]:g} values" if found[2] < limits.LARGE else "that many values")
    return name, found


def parameter_range(text: str) -> tuple[str, list[float]]:
    """Return a parameter and its values, with both ends of the range."""
    name, (low, high, count) = span(text, "--parameter")
    return name, torch.linspace(low, high, count, dtype=torch.float64).tolist()


def above_escape(system: System, n: int, energy: float, section: bool, seed: int) -> torch.Tensor:
    """Return states of an energy that may be above that of escape: a sample, or a grid on the surface of section."""
    escape = getattr(system, "escape_energy", math.inf)
    if energy > FAR * escape:
        what = f"--energy {energy:g} is too far above the escape energy {escape:.4g}"
        raise InputError(f"{what}; choose at most {FAR * escape:.4g}")
    options = _values_of_sample(system, energy)
    if not section:
        return system.sample(n, seed=seed, **options)
    if not isinstance(system, systems.HamiltonianSystem):
        raise InputError(f"--section needs a Hamiltonian system, which {system.name} is not; leave --section out")
    other = plane_of(system, system.surface[0])[1]
    seen = system.sample(SEEN, seed=seed, **options)[:, [other, other + 2]]
    bounds = list(zip(seen.amin(0).tolist(), seen.amax(0).tolist(), strict=True))
    return on_section(system, n, energy, bounds=bounds)


def _values_of_sample(system: System, value: float) -> dict[str, Any]:
    """Return the arguments of ``sample`` for an energy at which orbits may escape."""
    options: dict[str, Any] = energy(system, value)
    return options | ({"bounded": False} if "bounded" in inspect.signature(system.sample).parameters else {})


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
    checked_widths(found)
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


def surface(text: str | None, option: str = "--surface") -> tuple[str, float] | None:
    """Return the coordinate of a surface of section and its value."""
    if text is None:
        return None
    coordinate, _, value = text.partition("=")
    try:
        return coordinate, float(value)
    except ValueError as error:
        raise InputError(f"{option} takes a coordinate and a number, such as x=0, not {text!r}") from error


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


def check_pendulum(name: str) -> None:
    """Check that a film of a pendulum can show the system of the given name."""
    if "theta" not in systems.get(name).coordinates:
        suitable = ", ".join(other for other in systems.names() if "theta" in systems.get(other).coordinates)
        raise InputError(f"a film of a pendulum gives the angle theta, which {name} does not have; choose one of {suitable}")


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
