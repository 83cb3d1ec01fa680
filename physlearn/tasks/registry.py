"""Tasks by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from physlearn.tasks.task import Task
from systems import InputError
from systems.generic_registry import Registry

Maker = Callable[..., Task]
TASKS: Registry[Maker] = Registry("task", "physlearn.tasks")


def register(name: str) -> Callable[[Maker], Maker]:
    """A decorator for the function that makes the task of that name.

    Another distribution needs no import for that when its metadata name the function in the entry-point group
    ``physlearn.tasks``. The same function of the same module replaces itself. Raises InputError for a name that is taken.
    """
    return TASKS.register(name)


def names() -> list[str]:
    """The names of all tasks, sorted."""
    return sorted(TASKS.names())


def get(name: str, *, device: str | torch.device = "cpu", **settings: Any) -> Task:
    """The task of that name.

    settings: those of its maker, such as ``seed`` (of the orbits), ``data`` (a recording, for the pendulum clock) or ``mu``.

    Raises UnknownNameError (a KeyError), listing the names there are, and InputError for a setting that it does not have.

    >>> get("henon-heiles-hnn").model
    'hnn'
    """
    make = TASKS.get(name)
    known = inspect.signature(make).parameters
    if unknown := sorted(set(settings) - set(known)):
        raise InputError(f"the task {name} has no setting {unknown[0]!r}; it has {', '.join(known)}")
    return replace(make(**settings), device=device)
