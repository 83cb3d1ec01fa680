"""Compile loops with numba: where the compiled code is cached, and when several threads may run it."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache, wraps
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

import numba
import numpy as np
from numba import njit
from numba.core import event
from numba.core.caching import FunctionCache, IndexDataCacheFile

from systems.compiled.announcement import Announcement

ONE_AT_A_TIME = "workqueue"  # this threading layer aborts the process if two threads start a parallel loop at once
NOT_AFTER_FORK = "omp"  # this threading layer aborts a forked process that starts a parallel loop

Array = np.ndarray  # of the dtype that numba finds when a loop is called

_config: Any = numba.config  # Any: its settings are missing from the stubs
_in_turn = RLock()
_forked = False


def loop(*, apart: str = "", **options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function as `numba.njit` does, and caches the machine code on disk.

    The cache is in the folder that `folder` returns; without one, every process compiles the function again.

    Parameters
    ----------
    apart
        Name of a subfolder of the cache. It keeps a second compilation of the same function, which numba cannot tell from
        the first, separate.
    options
        Options of `numba.njit`, except ``cache``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher = njit(**options)(function)
        if (where := folder()) is not None:
            with suppress(RuntimeError):  # numba cannot cache this file
                dispatcher._cache = kept_in(where / apart, function)
        return dispatcher

    return decorate


def parallel_loop(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator that compiles a function with ``prange`` so that any thread and any process may call it.

    If numba has only the threading layer ``workqueue`` (macOS without OpenMP), calls from several threads take turns. In a
    forked process, where GNU OpenMP cannot start threads, the loop runs on one thread.

    Parameters
    ----------
    options
        Options of `numba.njit`, except ``cache`` and ``parallel``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        many = loop(**options, parallel=True)(function)
        one = loop(**options, apart="sequential")(function)

        @wraps(function)
        def call(*arguments: Any) -> Any:
            layer = _layer()
            if _forked and layer == NOT_AFTER_FORK:
                return one(*arguments)
            turn: AbstractContextManager[Any] = _in_turn if layer == ONE_AT_A_TIME else nullcontext()
            with turn:
                return many(*arguments)

        return call

    return decorate


@cache
def folder() -> Path | None:
    """Return the cache folder of compiled code: ``NUMBA_CACHE_DIR``, else the user's cache folder; None if not writable.

    It is never inside the package, so that uninstalling the package leaves nothing behind.
    """
    place = Path(_config.CACHE_DIR) if _config.CACHE_DIR else _users_folder()
    if place is None:
        return None
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return place
    except OSError:
        return None


def _users_folder() -> Path | None:
    """Return the user's cache folder by the convention of the operating system; None if the user has no home folder."""
    home = os.path.expanduser("~")  # stays "~" for a user id without a user name
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return Path(base, "physlearn", "numba") if os.path.isabs(base) else None


def kept_in(place: Path, function: Callable[..., Any]) -> FunctionCache:
    """Return numba's cache of a function in a folder."""
    before, _config.CACHE_DIR = _config.CACHE_DIR, str(place)
    try:
        return _Cache(function)
    finally:
        _config.CACHE_DIR = before


class _Cache(FunctionCache):
    """Numba's cache of a function, which ignores errors and is invalidated when the code of a function that it calls changes.

    A full disk or a damaged cache file costs a compilation, but does not stop the computation.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        stamp = self._impl.locator.get_source_stamp(), _digest(_files(function, {}))
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, stamp)

    def load_overload(self, *arguments: Any) -> Any:
        try:
            return super().load_overload(*arguments)
        except Exception:  # a damaged pickle can raise anything
            return None

    def save_overload(self, *arguments: Any) -> None:
        with suppress(Exception):
            super().save_overload(*arguments)


class _Files(IndexDataCacheFile):
    """The files of a cache, each of which ends with its checksum.

    Damaged machine code could crash the process or compute something else; it is compiled again instead.
    """

    @contextmanager
    def _open_for_write(self, filepath: str) -> Iterator[Any]:
        with super()._open_for_write(filepath) as file:
            yield file
            file.flush()
            file.write(hashlib.sha256(Path(file.name).read_bytes()).digest())

    def _load_index(self) -> dict[Any, str]:
        return super()._load_index() if _is_whole(self._index_path) else {}

    def _load_data(self, name: str) -> Any:
        if not _is_whole(path := self._data_path(name)):
            raise OSError(f"{path} is damaged")
        return super()._load_data(name)


def _is_whole(path: str) -> bool:
    """Return whether a file is there and ends with its checksum."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        return False
    size = len(content) - hashlib.sha256().digest_size
    return size >= 0 and hashlib.sha256(content[:size]).digest() == content[size:]


def _files(function: Callable[..., Any], found: dict[Callable[..., Any], str]) -> frozenset[str]:
    """Return the files of a function and of all compiled functions that it calls; numba itself checks only its own file."""
    found[function] = function.__code__.co_filename
    names = function.__code__.co_names
    for name in names:
        value = function.__globals__.get(name)
        for called in [getattr(value, inner, None) for inner in names] if isinstance(value, ModuleType) else [value]:
            plain = getattr(called, "py_func", None)
            if plain is not None and plain not in found:
                _files(plain, found)
    return frozenset(found.values())


@cache
def _digest(files: frozenset[str]) -> str:
    return hashlib.sha256(b"".join(Path(file).read_bytes() for file in sorted(files))).hexdigest()


def _layer() -> str:
    """Return the name of numba's threading layer, after starting it if necessary."""
    numba.get_num_threads()
    return str(numba.threading_layer())


def _after_fork() -> None:
    global _forked, _in_turn
    _forked, _in_turn = True, RLock()  # another thread of the parent may have held the old lock


event.register("numba:compile", Announcement())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
