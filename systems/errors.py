"""Errors that speak to the user: what was given, what is needed, what to do."""

import sys

OURS = ("systems", "physlearn", "torch")


def outside() -> int:
    """Return the ``stacklevel`` with which a warning of the caller points at the line outside of these packages."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__", "").split(".")[0] in OURS and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    return level


class InputError(ValueError):
    """What was given cannot be used. The message is one sentence for the user."""


class UnknownNameError(InputError, KeyError):
    """A name that nothing is registered under. The message lists the names that are."""

    __str__ = Exception.__str__  # KeyError would show the message as a quoted repr


class IntegrationError(RuntimeError):
    """An orbit could not be continued. The message names the orbit and the time."""


class AccuracyWarning(UserWarning):
    """A result is far from accurate: the steps of an orbit are too long, or a model does not fit. The message has figures."""
