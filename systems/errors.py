"""Errors that speak to the user: what was given, what is needed, what to do."""


class InputError(ValueError):
    """What was given cannot be used. The message is one sentence for the user."""


class UnknownNameError(InputError, KeyError):
    """A name that nothing is registered under. The message lists the names that are."""

    __str__ = Exception.__str__  # KeyError would show the message as a quoted repr


class IntegrationError(RuntimeError):
    """An orbit could not be continued. The message names the orbit and the time."""


class AccuracyWarning(UserWarning):
    """A result is far from accurate: the steps of an orbit are too long, or a model does not fit. The message has figures."""
