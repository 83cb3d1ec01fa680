"""The equation of a system as MathML, which browsers typeset without help from elsewhere."""

from __future__ import annotations

import inspect
import re

from latex2mathml.converter import convert

from physlearn.plotting.names import symbol
from systems import System

DISPLAYED = re.compile(r"^\s*\.\. math::(.*?)(?:\n\s*\n|\Z)", re.DOTALL | re.MULTILINE)


def equation(system: System) -> str:
    """Return the first displayed equation of a system's docstring as MathML, or an empty string if there is none."""
    found = DISPLAYED.search(inspect.getdoc(type(system)) or "")
    return convert(" ".join(found[1].split()), display="block") if found else ""


def coordinate(name: str) -> str:
    """Return the symbol of a coordinate as MathML.

    >>> "<msub>" in coordinate("theta_1")
    True
    """
    return convert(symbol(name).strip("$"))
