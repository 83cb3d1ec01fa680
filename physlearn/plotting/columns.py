"""The columns that a table must have to be drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from systems import InputError


def check_columns(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise InputError, which names the first that is missing and those that are there, unless a table has these columns."""
    if missing := [name for name in names if name not in table]:
        raise InputError(f"the table has no column {missing[0]!r}; there are {', '.join(map(str, table))}")
