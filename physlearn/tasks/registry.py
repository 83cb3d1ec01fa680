"""The registry of tasks."""

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
    """Return a decorator that registers a function that creates a task.

    Other distributions can instead list their function in the entry-point group ``physlearn.tasks``, which needs no import. A
    function that is defined again in the same module replaces itself.

    Parameters
    ----------
    name
        Name of the task.

    Returns
    -------
    callable
        Decorator that registers its argument and returns it. It raises InputError if another function has the name.
    """
    return TASKS.register(name)


def names() -> list[str]:
    """Return the names of all tasks.

    Returns
    -------
    list of str
        Sorted names.
    """
    return sorted(TASKS.names())


def get(name: str, *, device: str | torch.device = "cpu", **settings: Any) -> Task:
    """Return a task by its name.

    Parameters
    ----------
    name
        Name of the task.
    device
        Device on which networks are trained.
    **settings
        Arguments of the function that creates the task, such as ``seed``, ``orbits``, ``data`` (a recording, for the pendulum
        clock) or ``mu``.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    UnknownNameError
        If there is no such task (a KeyError); the message lists the names.
    InputError
        If the task does not have one of the settings.

    Examples
    --------
    >>> get("henon-heiles-hnn").model
    'hnn'
    """
    make = TASKS.get(name)
    known = inspect.signature(make).parameters
    if unknown := sorted(set(settings) - set(known)):
        raise InputError(f"the task {name} has no setting {unknown[0]!r}; it has {', '.join(known)}")
    return replace(make(**settings), device=device)
