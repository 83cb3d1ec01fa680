"""Tasks by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from physlearn.tasks.task import Task
from systems import InputError, UnknownNameError

_makers: dict[str, Callable[..., Task]] = {}


def register(name: str) -> Callable[[Callable[..., Task]], Callable[..., Task]]:
    """A decorator for the function that makes the task of that name. Raises InputError for a name that is taken."""
    if name in _makers:
        raise InputError(f"the task name {name!r} is taken")

    def keep(make: Callable[..., Task]) -> Callable[..., Task]:
        _makers[name] = make
        return make

    return keep


def names() -> list[str]:
    """The names of all tasks, sorted."""
    return sorted(_makers)


def get(name: str, *, device: str | torch.device = "cpu", **settings: Any) -> Task:
    """The task of that name.

    settings: those of its maker, such as ``seed`` (of the orbits), ``data`` (a recording, for the pendulum clock) or ``mu``.

    Raises UnknownNameError (a KeyError), listing the names there are, and InputError for a setting that it does not have.

    >>> get("henon-heiles-hnn").model
    'hnn'
    """
    if name not in _makers:
        raise UnknownNameError(f"no task {name!r}; there are {', '.join(names())}")
    known = inspect.signature(_makers[name]).parameters
    if unknown := sorted(set(settings) - set(known)):
        raise InputError(f"the task {name} has no setting {unknown[0]!r}; it has {', '.join(known)}")
    return replace(_makers[name](**settings), device=device)
