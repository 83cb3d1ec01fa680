"""Tables that commands write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from systems.atomic import atomically

if TYPE_CHECKING:
    import pandas as pd


def write_table(path: Path, frame: pd.DataFrame) -> Path:
    """Write a table, as CSV or Parquet, as a whole or not at all, and return the path."""
    with atomically(path) as temporary:
        if path.suffix.lower() == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)
    return path
