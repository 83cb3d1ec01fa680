"""The database of a search, whose errors come from three libraries, in the words of this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def using(path: Path) -> Iterator[None]:
    """Inside, a search reads and writes its database.

    Raises OSError with the reason where that fails: the disk is full, the file is locked, read-only, or no database. SQLite
    writes a trial as a whole or not at all, so the trials that are complete are kept.
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
        raise OSError(f"the search could not use {path}, where its complete trials are kept: {reason}") from error
