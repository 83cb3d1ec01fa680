"""Tables that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from systems.atomic import atomically
from systems.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FORMATS = (".csv", ".parquet")


def check_table(path: Path) -> None:
    """Raise InputError unless the name of a file ends like that of a table."""
    if path.suffix not in FORMATS:
        raise InputError(f"--out {path} must end with {' or '.join(FORMATS)}")


def write_table(path: Path, frame: pd.DataFrame) -> Path:
    """Write a table, as a whole or not at all, and return the path."""
    with atomically(path) as temporary:
        if path.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)
    return path
