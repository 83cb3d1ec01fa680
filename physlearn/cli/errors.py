"""Turn errors that the user can correct into the line that explains them."""

from __future__ import annotations


def message_of(error: Exception) -> str | None:
    """Return the line that explains an error to the user, or None if the error is a defect of the program.

    What an error's class is compared with is imported only here: most commands end without one.
    """
    if hasattr(error, "format_message"):  # of the parser: an unknown command or option
        return str(error.format_message())
    from systems.errors import InputError, IntegrationError

    if isinstance(error, (InputError, IntegrationError, OSError)):
        return str(error)
    from physlearn.cli import limits
    from physlearn.jobs import WorkersLostError

    if limits.is_out_of_memory(error):
        return limits.TOO_LARGE
    return str(error) if isinstance(error, WorkersLostError) else None
