"""Colours of the variants in a comparison."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

PAPER = {"base": "#3B75AF", "sine": "#3B75AF", "type 1": "#F0C419", "type 2": "#EF8536", "mix": "#C8302C"}
TYPES = ("#8E5EA2", "#E377C2", "#8C564B", "#17A2B8")  # type 3 and on
OTHERS = ("#7A7A7A", "#4C9A4C", "#B5B5B5", "#A6C96A", "#404040", "#1F6B52")  # greys and greens, distinct from their neighbours


def variant_colors(variants: Iterable[str]) -> dict[str, str]:
    """Return the colour of each variant.

    The base, the types and their mix have the colours of figures 3, 5 and 6 of the paper. Other variants are grey or green, in
    order of appearance.

    >>> variant_colors(["sine", "mix", "tanh"])
    {'sine': '#3B75AF', 'mix': '#C8302C', 'tanh': '#7A7A7A'}
    """
    types, others = cycle(TYPES), cycle(OTHERS)
    return {v: PAPER.get(v) or next(types if v.startswith("type ") else others) for v in dict.fromkeys(variants)}
