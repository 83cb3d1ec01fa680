"""Results that print in a few lines, and as a small table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from html import escape
from textwrap import shorten

import numpy as np
import pandas as pd
from torch import Tensor

FEW = 6  # numbers that are shown one by one
WIDTH = 100  # characters of one value


class Brief:
    """Base of results whose fields hold many numbers: ``repr`` and notebooks show their shapes and ranges instead.

    A subclass that is a dataclass is declared with ``repr=False``, and shows its fields unless it overrides `_headline` and
    `_rows`.
    """

    def __repr__(self) -> str:
        rows = self._rows()
        width = max(map(len, rows), default=0)
        return "\n".join([self._headline(), *(f"  {name:<{width}}  {value}" for name, value in rows.items())])

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        left = ' style="text-align: left"'
        rows = "".join(
            f"<tr><th{left}>{escape(name)}</th><td{left}>{escape(value)}</td></tr>" for name, value in self._rows().items()
        )
        return f"<div><b>{escape(self._headline())}</b><table>{rows}</table></div>"

    def _headline(self) -> str:
        """Return the first line."""
        return type(self).__name__

    def _rows(self) -> dict[str, str]:
        """Return what is shown below the first line, as text by name."""
        shown = [one.name for one in fields(self) if one.repr]  # type: ignore[arg-type]
        return {name: brief(value) for name in shown if (value := getattr(self, name)) is not None}


class Told:
    """Base of results that are text by ``str``: ``repr`` and notebooks show the same text."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the first line, and the rest as it is printed."""
        first, *rest = str(self).splitlines() or [""]
        below = f"<pre>{escape(chr(10).join(rest))}</pre>" if rest else ""
        return f"<div><b>{escape(first)}</b>{below}</div>"


def brief(value: object) -> str:
    """Return a value as one short line.

    >>> brief(np.linspace(0, 1, 101))
    'shape (101,), 0 to 1'
    >>> brief([0.5, 1])
    '0.5, 1'
    """
    if isinstance(value, (Tensor, np.ndarray)):
        return _of_array(value)
    if isinstance(value, pd.DataFrame):
        return shorten(f"{len(value)} rows: {', '.join(map(str, value))}", WIDTH, placeholder=" ...")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return shorten(", ".join(f"{name}: {brief(one)}" for name, one in value.items()), WIDTH, placeholder=" ...")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return shorten(", ".join(map(brief, value)), WIDTH, placeholder=" ...")
    return shorten(str(value).splitlines()[0] if str(value) else "", WIDTH, placeholder=" ...")


def _of_array(value: Tensor | np.ndarray) -> str:
    """Return the numbers of a small array, and the shape and range of a large one."""
    array = value.detach().cpu().resolve_conj().numpy() if isinstance(value, Tensor) else value
    if array.size <= FEW:
        return np.array2string(array, precision=6, separator=", ").replace("\n", "")
    size = f"shape {array.shape}"
    if array.dtype == bool:
        return f"{size}, {int(array.sum())} true"
    if array.dtype.kind not in "iuf":
        return size
    known = array[np.isfinite(array)]
    if not known.size:
        return f"{size}, no finite number"
    missing = array.size - known.size
    return f"{size}, {known.min():.6g} to {known.max():.6g}" + (f", {missing} not finite" if missing else "")
