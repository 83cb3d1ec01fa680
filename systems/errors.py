"""Errors and warnings. Each message says what was given, what is needed, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from difflib import get_close_matches

OURS = ("systems", "physlearn", "torch")


def outside() -> int:
    """Return the ``stacklevel`` that makes a warning point to the user's line of code, outside these packages."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").split(".")[0] in OURS and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    return level


class InputError(ValueError):
    """Raised when an argument or a file cannot be used. The message is one sentence for the user."""


class UnknownNameError(InputError, KeyError):
    """Raised when nothing is registered under a name. The message lists the registered names."""

    __str__ = Exception.__str__  # KeyError would show the message as a quoted repr

    @classmethod
    def of(cls, what: str, name: object, known: Iterable[str], hint: str = "") -> UnknownNameError:
        """Return the error for a name that is not among the known ones, with the most similar of them.

        Parameters
        ----------
        what : str
            Beginning of the message, such as ``"no system"``.
        name : object
            The unknown name.
        known : iterable of str
            The names that exist.
        hint : str, default ""
            End of the message.

        Returns
        -------
        UnknownNameError
            The error, to be raised.

        Examples
        --------
        >>> print(UnknownNameError.of("no system", "pendulm", ["lorenz", "pendulum"]))
        no system 'pendulm' (did you mean 'pendulum'?); choose one of lorenz, pendulum
        """
        known = list(known)
        similar = get_close_matches(str(name).lower(), known, n=1)
        meant = f" (did you mean {similar[0]!r}?)" if similar else ""
        return cls(f"{what} {name!r}{meant}; choose one of {', '.join(known)}{hint}")


class IntegrationError(RuntimeError):
    """Raised when an orbit cannot be continued. The message names the orbit and the time."""


class AccuracyWarning(UserWarning):
    """Issued when a result is inaccurate, as with time steps that are too long or a model that fits poorly."""
