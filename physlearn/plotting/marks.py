"""Colours, line styles, markers and hatches, which tell variants and forecasts apart in grey and for colour-blind readers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any, TypeVar

T = TypeVar("T")
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # colour-blind safe (Okabe and Ito)
AREAS = (*(COLORS[i] for i in (0, 4, 2)), "#882255", "#DDCC77", "#332288", *(COLORS[i] for i in (5, 1, 3)))
"""Colours of areas, such as basins, of which the first six (two of them from Paul Tol's schemes) differ in grey as well."""
LINES = ("solid", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)), (0, (8, 1.5, 1, 1.5, 1, 1.5)), (0, (3, 3)), (0, (1, 3)))
MARKERS_PER_LINE = 6


@dataclass(frozen=True)
class Marks:
    """How one variant is drawn, apart from its colour."""

    line: Any
    marker: str
    hatch: str

    def along(self, points: int) -> dict[str, Any]:
        """Return options of matplotlib's ``plot`` for a line of so many points, with a few markers."""
        return {
            "linestyle": self.line,
            "marker": self.marker,
            "markersize": 5,
            "markevery": max(points // MARKERS_PER_LINE, 1),
        }


PAPER = {
    "base": Marks(LINES[0], "", ""),
    "sine": Marks(LINES[0], "", ""),
    "type 1": Marks(LINES[1], "^", "//"),
    "type 2": Marks(LINES[2], "v", "\\\\"),
    "mix": Marks(LINES[0], "o", "xx"),
}
TYPES = tuple(Marks(LINES[3], marker, hatch) for marker, hatch in zip("<>dh", ("++", "oo", "--", "||"), strict=True))
OTHERS = tuple(
    Marks(line, marker, hatch)
    for line, marker, hatch in zip(
        (LINES[4], LINES[5], LINES[6]) * 2, "sDPX*p", ("..", "O", "///", "\\\\\\", "*", "||--"), strict=True
    )
)


def variant_marks(variants: Iterable[str]) -> dict[str, Marks]:
    """Return the line style, marker and hatch of each variant, in the order of `variant_colors`."""
    types, others = cycle(TYPES), cycle(OTHERS)
    return {v: PAPER.get(v) or next(types if v.startswith("type ") else others) for v in dict.fromkeys(variants)}


def looks(things: Mapping[str, T]) -> Iterator[tuple[str, T, str, Any]]:
    """Yield each thing with its label, a colour and a line style, such as forecasts of one orbit."""
    for (label, thing), color, line in zip(things.items(), cycle(COLORS), cycle(LINES), strict=False):
        yield label, thing, color, line
