"""Names that have moved: their old places forward to the new ones for one release, with a warning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any
from warnings import warn

from systems.errors import outside


def forward(module: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for a module whose names have moved.

    Parameters
    ----------
    module
        Name of the old module, its own ``__name__``.
    places
        Maps each name that has moved to the module that holds it now.

    Returns
    -------
    Callable
        Looks a name up in its new place and emits a `DeprecationWarning`; raises `AttributeError` for every other name.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 - becomes the module's own
        if name not in places:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn(
            f"{module}.{name} has moved to {places[name]}.{name}; version 0.3 removes the old name",
            DeprecationWarning,
            stacklevel=outside(),
        )
        return getattr(import_module(places[name]), name)

    return __getattr__
