"""Evaluate a function at many settings, and keep each result as soon as it is computed."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from physlearn._version import __version__
from physlearn.jobs.lock import alone_in
from physlearn.jobs.store import Store, Unit, Values, name_of
from physlearn.jobs.workers import Workers
from physlearn.source import digest_of_source
from systems import InputError

Result = Mapping[str, Any]  # numbers, strings and booleans by name


def sweep(
    function: Callable[..., Result],
    units: Iterable[Mapping[str, Any]],
    folder: str | os.PathLike[str],
    *,
    workers: Workers | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Evaluate a function at many settings, and return a table with one row per unit.

    Each result is written to ``folder`` as soon as it is computed. A sweep that was stopped or killed therefore resumes where
    it was. Results that other code computed, either of the function or of physlearn, are not reused. Changes to functions that
    ``function`` calls are not detected.

    Parameters
    ----------
    function : callable
        Called with the settings of a unit as keyword arguments, including any random seed. Returns a mapping of names to
        numbers, strings and booleans. Its result must depend on its arguments alone; it is identified by module, name and
        source.
    units : iterable of mappings
        The settings of each unit, by name. JSON must be able to represent them.
    folder : path
        Receives one file per unit, with its settings and a checksum, written completely or not at all. It is created if
        needed.
    workers : Workers, optional
        Where the units run; by default, in this process.
    progress : bool, default True
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        One row per unit, in the order of ``units``: the settings, followed by the results.

    Raises
    ------
    InputError
        If JSON cannot represent a setting or a result, if two units have the same settings, or if another sweep is running in
        the folder.
    WorkersLostError
        If the workers are lost; see `Workers.each`.
    Exception
        Whatever a unit raises. The units that were finished before are kept.

    Examples
    --------
    >>> import tempfile
    >>> sweep(lambda x, power: {"y": x**power}, [{"x": 2, "power": p} for p in (1, 2)], tempfile.mkdtemp(), progress=False)
       x  power  y
    0  2      1  2
    1  2      2  4
    """
    listed, store = [dict(unit) for unit in units], Store(Path(folder), Values())
    code = _code(function)
    names = [_name(code, unit) for unit in listed]
    if len(set(names)) < len(names):
        raise InputError(
            "two units have the same settings, but all units of a sweep must differ in their settings: give repeated units "
            "different seeds"
        )
    wanted = [Unit(name, unit, (function, unit)) for name, unit in zip(names, listed, strict=True)]
    store.folder.mkdir(parents=True, exist_ok=True)
    with alone_in(store.folder):
        results = store.get_all(_call, wanted, workers or Workers(), "sweeping", progress=progress)
    return pd.DataFrame([{**unit, **result} for unit, result in zip(listed, results, strict=True)])


def _code(function: Callable[..., Result]) -> tuple[str, ...]:
    """Return what identifies the code that computes a unit."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # defined in a console
        source = ""
    return f"{function.__module__}.{function.__qualname__}", source, __version__, digest_of_source()


def _call(function: Callable[..., Result], settings: Mapping[str, Any]) -> dict[str, Any]:
    return dict(function(**settings))


def _name(code: tuple[str, ...], settings: Mapping[str, Any]) -> str:
    """Return the name of a unit's result, in one of 256 folders so that none grows too large."""
    try:
        name = name_of({"code": code, "settings": settings}, suffix=".json", otherwise=None)
    except TypeError as error:
        raise InputError(
            f"the settings of a unit must be numbers, strings, or lists of these, not {settings!r} ({error})"
        ) from error
    return f"{name[:2]}/{name}"
