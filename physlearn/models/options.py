"""The options of a model: settings of its own, such as the degree of a polynomial, with defaults and checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from physlearn.models.registry import find
from systems import InputError
from systems.scalars import real, whole


def checked(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a model: those that are given, and the defaults of the others.

    Parameters
    ----------
    name
        Name of the model.
    given
        Options by name. Numbers are converted to the type of the default, and lists to tuples.

    Returns
    -------
    dict
        Values that JSON can represent, by the names of the options.

    Raises
    ------
    UnknownNameError
        If there is no such model.
    InputError
        If the model has no such option, or does not accept its value.

    Examples
    --------
    >>> checked("hnn", {})
    {}
    """
    model = find(name)
    if unknown := sorted(set(given) - set(model.options)):
        told = f"its options are {', '.join(model.options)}" if model.options else "it has none"
        raise InputError(f"the model {name} has no option {unknown[0]!r}: {told}")
    found = {option: _like(default, option, given.get(option, default)) for option, default in model.options.items()}
    model.check_options(found)
    return found


def _like(default: Any, option: str, value: Any) -> Any:
    """Return a value with the type of the default. A default of None allows every value that JSON can represent."""
    if value is None and default is None:
        return None
    if isinstance(default, bool):
        if not isinstance(value, bool | np.bool_):
            raise InputError(f"{option} must be True or False, not {value!r:.80}")
        return bool(value)
    if isinstance(default, int):
        return whole(option, value)
    if isinstance(default, float):
        return real(option, value)
    if isinstance(default, str) and not isinstance(value, str):
        raise InputError(f"{option} must be a text, not {value!r:.80}")
    if isinstance(default, tuple) and not isinstance(value, list | tuple):
        raise InputError(f"{option} must be a list, not {value!r:.80}")
    return _plain(option, value)


def _plain(option: str, value: Any) -> Any:
    """Return a value that JSON can represent, with tuples for lists."""
    if isinstance(value, list | tuple):
        return tuple(_plain(option, part) for part in value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return real(option, value)
    if not isinstance(value, bool | int | str | None):
        raise InputError(f"{option} must consist of numbers and texts, not {value!r:.80}")
    return value


def suited(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a forecaster that a model has; some models take no angles, and baselines have one member."""
    model, found = find(name), dict(settings)
    if not model.takes_angles:
        found["angles"] = False
    if model.baseline:
        found["members"] = 1
    return found
