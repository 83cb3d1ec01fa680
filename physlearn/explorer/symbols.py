"""Plain-text symbols of coordinates for a page without mathematical typesetting, such as θ₁ for theta_1."""

from __future__ import annotations

import unicodedata

BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def written(name: str) -> str:
    """Return the name of a coordinate with Greek letters, and with numbers as subscripts.

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
