"""sweep: a function at many settings, each result kept as it comes."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
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

Result = Mapping[str, Any]  # of numbers, texts and truth values, by name


def sweep(
    function: Callable[..., Result],
    units: Iterable[Mapping[str, Any]],
    folder: str | os.PathLike[str],
    *,
    workers: Workers | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """A row a unit, in their order: its settings, and what the function made of them.

    function: takes a unit's settings by name, seeds among them, and gives values by name; it decides by nothing else, and is
    known by its module, name and source. units: settings that JSON can write. folder: takes a file a unit, written whole or
    not at all with its settings and a checksum. What is there and whole is not computed again, so that a sweep that was
    stopped, or killed, goes on; what was computed by other code, of the function or of physlearn, is not taken for a result of
    this one (that of other functions that it calls is not known).

    Raises InputError for settings that JSON cannot write, units that are twice the same, or a folder in which another sweep is
    at work; and what a unit raises, with all that was done before kept.

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
        raise InputError("units of a sweep differ in their settings: give repeated ones a seed each")
    where.mkdir(parents=True, exist_ok=True)
    with alone_in(where):
        missing = [n for n, path in enumerate(paths) if kept.read(path) is None]
        done = (workers or Workers()).each(_call, ((function, listed[n]) for n in missing))
        for number, result in tqdm(done, "sweeping", len(missing), disable=not progress, unit="unit", leave=False):
            kept.write(paths[missing[number]], listed[missing[number]], result)
    return pd.DataFrame([{**unit, **(kept.read(path) or {})} for unit, path in zip(listed, paths, strict=True)])


def _code(function: Callable[..., Result]) -> tuple[str, ...]:
    """What tells the code that computes a unit."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):  # typed into a console
        source = ""
    return f"{function.__module__}.{function.__qualname__}", source, __version__, digest_of_source()


def _call(function: Callable[..., Result], settings: Mapping[str, Any]) -> Result:
    return dict(function(**settings))


def _name(code: tuple[str, ...], settings: Mapping[str, Any]) -> str:
    """A digest of all that decides a unit's result."""
    try:
        return digest({"code": code, "settings": settings}, length=24, otherwise=None)
    except TypeError as error:
        raise InputError(f"a unit's settings are numbers, texts and lists of them, not {settings!r} ({error})") from error
