"""Old spellings of arguments and names, which keep working for one release."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from importlib import import_module
from typing import Any, TypeVar

from systems.errors import outside

Known = TypeVar("Known", bound=Callable[..., Any])


def renamed(**names: str) -> Callable[[Known], Known]:
    """Accept old names of keyword arguments, with a DeprecationWarning: a decorator of a function or a class.

    Parameters
    ----------
    **names
        The new name by the old one: ``@renamed(integrator="method")``.

    Returns
    -------
    Callable
        The decorator. What it decorates raises TypeError if a call gives both names. A new name that is given as None, as
        `dataclasses.replace` gives it, does not count.

    Examples
    --------
    >>> @renamed(integrator="method")
    ... def roll_out(*, method="rk4"):
    ...     return method
    >>> with warnings.catch_warnings(action="ignore"):
    ...     roll_out(integrator="euler")
    'euler'
    """

    def accept(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        for old, new in names.items():
            if old in kwargs:
                if kwargs.get(new) is not None:
                    raise TypeError(f"{name} got both {new}= and {old}=, its old name; give {new}= alone")
                _warn(f"{old}= of {name} is now {new}=; the old name works for one more release")
                kwargs[new] = kwargs.pop(old)
        return args

    return _before(accept)


def keyword_only(*names: str) -> Callable[[Known], Known]:
    """Accept keyword-only arguments by their old positions, with a DeprecationWarning: a decorator of a function or a class.

    Parameters
    ----------
    *names
        The arguments that followed the positional ones, in their old order.

    Returns
    -------
    Callable
        The decorator. What it decorates raises TypeError if a call gives an argument twice.

    Examples
    --------
    >>> @keyword_only("dt", "k")
    ... def exponents(time, *, k=1, dt=0.05):
    ...     return time, dt, k
    >>> with warnings.catch_warnings(action="ignore"):
    ...     exponents(10, 0.1, 2)
    (10, 0.1, 2)
    """

    def decorate(known: Known) -> Known:
        kinds = [parameter.kind for parameter in inspect.signature(_function(known)).parameters.values()]
        positional = kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)

        def accept(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
            extra = dict(zip(names, args[positional:], strict=False))
            if not extra or len(args) > positional + len(names):
                return args  # where there are too many, Python says so
            if twice := [given for given in extra if given in kwargs]:
                raise TypeError(f"{name} got {twice[0]} both by position and by name; give {twice[0]}= alone")
            spelling = ", ".join(f"{given}=" for given in extra)
            _warn(f"give {spelling} to {name} by name; its position works for one more release")
            kwargs |= extra
            return args[:positional]

        return _before(accept)(known)

    return decorate


def renamed_attribute(new: str) -> Any:
    """Return a property that reads the attribute of the new name, with a DeprecationWarning."""

    class Renamed:
        def __set_name__(self, owner: type, old: str) -> None:
            self.message = f"{owner.__name__}.{old} is now {new}; the old name works for one more release"

        def __get__(self, thing: Any, owner: type) -> Any:
            if thing is None:
                return self
            _warn(self.message)
            return getattr(thing, new)

    return Renamed()


def old_names(module: str, new: Mapping[str, str], **things: Any) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module, by which its old names still work, with a DeprecationWarning.

    Parameters
    ----------
    module
        Name of the old module, its own ``__name__``.
    new
        Maps each old name to the new one, with the module that holds it: ``{"forest": "physlearn.plotting.forest_plot"}``.
    **things
        What an old name stands for, if it differs from the object with the new name.

    Returns
    -------
    Callable
        Looks an old name up; raises `AttributeError` for every other name.
    """

    def find(old: str) -> Any:
        if old not in new:
            raise AttributeError(f"module {module!r} has no attribute {old!r}")
        _warn(f"{module}.{old} is now {new[old]}; the old name works until version 0.3")
        home, name = new[old].rsplit(".", 1)
        return things[old] if old in things else getattr(import_module(home), name)

    return find


def _before(accept: Callable[[str, tuple[Any, ...], dict[str, Any]], tuple[Any, ...]]) -> Callable[[Known], Known]:
    """Return a decorator that has ``accept`` change the arguments of each call."""

    def decorate(known: Known) -> Known:
        function, name = _function(known), known.__qualname__

        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*accept(name, args, kwargs), **kwargs)

        if not isinstance(known, type):
            return call  # type: ignore[return-value]
        known.__init__ = call  # type: ignore[misc]
        return known

    return decorate


def _function(known: Callable[..., Any]) -> Callable[..., Any]:
    return known.__init__ if isinstance(known, type) else known  # type: ignore[misc]


def _warn(message: str) -> None:
    warnings.warn(message, DeprecationWarning, stacklevel=outside())
