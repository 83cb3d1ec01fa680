"""Access to the database of a search, with the errors of three libraries turned into one OSError."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def using(path: Path) -> Iterator[None]:
    """Turn database errors inside the block into an OSError that gives the reason.

    The disk may be full, or the file may be locked, read-only, or not a database. SQLite writes each trial completely or not
    at all, so completed trials are kept.
    """
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError, sqlite3.Error) as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = getattr(cause, "orig", None) or cause
        raise OSError(f"the search could not use {path}, the database of its completed trials: {reason}") from error
