"""Evaluate a function at many settings, and keep each result as soon as it is computed."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from physlearn._version import __version__
from physlearn.jobs import kept
from physlearn.jobs.digest import digest
from physlearn.jobs.lock import alone_in
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
    listed, where = [dict(unit) for unit in units], Path(folder)
    code = _code(function)
    paths = [where / name[:2] / f"{name}.json" for name in (_name(code, unit) for unit in listed)]
    if len(set(paths)) < len(paths):
        raise InputError(
            "two units have the same settings, but all units of a sweep must differ in their settings: give repeated units "
            "different seeds"
        )
    where.mkdir(parents=True, exist_ok=True)
    with alone_in(where):
        missing = [n for n, path in enumerate(paths) if kept.read(path) is None]
        with closing((workers or Workers()).each(_call, ((function, listed[n]) for n in missing))) as done:
            for number, result in tqdm(done, "sweeping", len(missing), disable=not progress, unit="unit", leave=False):
                kept.write(paths[missing[number]], listed[missing[number]], result)
    return pd.DataFrame([{**unit, **(kept.read(path) or {})} for unit, path in zip(listed, paths, strict=True)])


def _code(function: Callable[..., Result]) -> tuple[str, ...]:
    """Return what identifies the code that computes a unit."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # defined in a console
        source = ""
    return f"{function.__module__}.{function.__qualname__}", source, __version__, digest_of_source()


def _call(function: Callable[..., Result], settings: Mapping[str, Any]) -> Result:
    return dict(function(**settings))


def _name(code: tuple[str, ...], settings: Mapping[str, Any]) -> str:
    """Return a digest of everything that determines the result of a unit."""
    try:
        return digest({"code": code, "settings": settings}, length=24, otherwise=None)
    except TypeError as error:
        raise InputError(
            f"the settings of a unit must be numbers, strings, or lists of these, not {settings!r} ({error})"
        ) from error
