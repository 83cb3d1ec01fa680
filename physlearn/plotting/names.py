"""Names of coordinates as mathematical symbols."""

import re
from collections.abc import Mapping

GREEK = re.compile(
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega",
    re.IGNORECASE,
)


def symbol(name: str) -> str:
    r"""Return the name of a coordinate in mathematical notation, with indices as subscripts and Greek letters.

    >>> print(symbol("p_x"), symbol("theta"), symbol("x1"), symbol("p_rho"), symbol("angle"))
    $p_{x}$ $\theta$ $x_{1}$ $p_{\rho}$ $\mathrm{angle}$
    """
    parts = re.fullmatch(r"([A-Za-z]+)_?(\w*)", name)
    if parts is None:
        return name
    base, index = (_letter(part) for part in parts.groups())
    return f"${base}_{{{index}}}$" if index else f"${base}$"


def axis_label(name: str, units: Mapping[str, str]) -> str:
    r"""Return the label of an axis: the symbol of a coordinate or of the time, and its unit if there is one.

    >>> print(axis_label("theta", {"theta": "rad"}), axis_label("t", {}))
    $\theta$ [rad] $t$
    """
    return f"{symbol(name)} [{units[name]}]" if name in units else symbol(name)


def _letter(name: str) -> str:
    if GREEK.fullmatch(name):
        return f"\\{name}"
    return name.replace("_", ",") if len(name) < 2 or not name.isalpha() else rf"\mathrm{{{name}}}"
