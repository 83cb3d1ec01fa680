"""How coordinates are written on a page, which knows no mathematics: theta_1 as θ₁."""

from __future__ import annotations

import unicodedata

BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def written(name: str) -> str:
    """A coordinate's name with Greek letters as such, and numbers below the line.

    >>> written("theta_1"), written("p_x"), written("q")
    ('θ₁', 'p_x', 'q')
    """
    base, _, index = name.partition("_")
    if not index:
        return _letter(base)
    return _letter(base) + (index.translate(BELOW) if index.isdigit() else f"_{_letter(index)}")


def _letter(name: str) -> str:
    try:
        return unicodedata.lookup(f"GREEK SMALL LETTER {name.upper()}")
    except KeyError:
        return name
