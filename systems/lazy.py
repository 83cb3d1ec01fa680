"""Packages whose names are imported when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazily(
    package: str, homes: Mapping[str, str], names: Sequence[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and ``__dir__`` of a package that imports its submodules and names at first use.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    homes : mapping of str to str
        The submodule that defines each public name, relative to the package. Other names are submodules.
    names : sequence of str
        What ``dir`` lists: the package's ``__all__``, and submodules for users.

    Returns
    -------
    tuple of callable
        The two functions.

    Examples
    --------
    >>> get, _ = lazily("systems", {"Orbit": "orbit"}, ["Orbit"])
    >>> get("Orbit").__name__
    'Orbit'
    """

    def get(name: str) -> Any:
        if not name.startswith("_"):
            home = f"{package}.{homes.get(name, name)}"
            try:
                found = import_module(home)
            except ModuleNotFoundError as error:
                if error.name != home:
                    raise
            else:
                if name in homes:
                    found = getattr(found, name)
                setattr(sys.modules[package], name, found)  # the next access does not come here
                return found
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def listed() -> list[str]:
        return sorted({*vars(sys.modules[package]), *names})

    return get, listed
