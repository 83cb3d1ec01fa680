"""Fields and Hamiltonians as formulas: a table of terms with confidence intervals, SymPy expressions and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isclose, isfinite, log10, pi
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from physlearn.models.library import Library, Term
from systems import InputError

if TYPE_CHECKING:
    import sympy

NEGLIGIBLE = 1e-7  # contribution of a term, relative to the largest one of its equation, that formulas leave out
DIGITS = 6  # most digits of a coefficient in a text


@dataclass(frozen=True)
class Equations:
    """Equations of motion, or a Hamiltonian, as a sum of terms.

    Parameters
    ----------
    table : DataFrame
        One row per term, with the columns ``of`` (``"H"``, or a rate such as ``"dx/dt"``), ``term``, ``value``, ``error``
        (standard error), ``low`` and ``high`` (the ends of the confidence interval), and ``share``, the size of the term over
        the data relative to the largest one of its equation. Coefficients have the units of the data.
    level : float
        Level of the confidence intervals.
    explained : float
        Part of the variance of a learned rate that the terms explain, of the worst one; 1 if they are the model.
    factors : sequence of (str, dict)
        The equation of each row of the table, and the exponents of each coordinate, of its cosine and of its sine.
    angles : mapping of str to (float, float)
        Period and origin of each coordinate whose cosine and sine are factors.
    """

    table: pd.DataFrame
    level: float = 0.95
    explained: float = 1.0
    factors: Sequence[tuple[str, dict[str, tuple[int, int, int]]]] = field(default=(), repr=False)
    angles: Mapping[str, tuple[float, float]] = field(default_factory=dict, repr=False)

    @property
    def expressions(self) -> dict[str, sympy.Expr]:
        """The right-hand sides, by ``"H"`` or the rate, with all digits; terms that do not contribute are left out."""
        return {name: self._expression(name, None) for name in self._names}

    def latex(self) -> str:
        """Return the equations as LaTeX, one per line.

        Returns
        -------
        str
            Equations in an ``aligned`` environment.
        """
        import sympy

        lines = []
        for name in self._names:
            left = name if name == "H" else rf"\dot{{{sympy.latex(sympy.Symbol(name[1:].removesuffix('/dt')))}}}"
            lines.append(f"{left} &= {sympy.latex(self._expression(name, DIGITS))}")
        body = " \\\\\n".join(lines)
        return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def __str__(self) -> str:
        return "\n".join(f"{name} = {self._expression(name, DIGITS)}" for name in self._names)

    @property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(self.table["of"]))

    def _expression(self, name: str, digits: int | None) -> sympy.Expr:
        import sympy

        total = sympy.Integer(0)
        rows = self.table.reset_index(drop=True)
        for i, row in rows[(rows["of"] == name) & (rows["share"] > NEGLIGIBLE)].iterrows():
            value = float(row["value"]) if digits is None else _rounded(row["value"], row["error"], digits)
            factor = (
                sympy.Integer(round(value)) if abs(value) == 1 else sympy.Float(value if digits is None else f"{value:.6g}")
            )
            total += factor * self._product(int(i))  # type: ignore[call-overload]
        return total

    def _product(self, row: int) -> sympy.Expr:
        import sympy

        found = sympy.Integer(1)
        for name, (power, cosine, sine) in self.factors[row][1].items():
            z = sympy.Symbol(name, real=True)
            found *= z**power
            if cosine or sine:
                period, origin = self.angles[name]
                phase = (z - origin if origin else z) * (1 if isclose(period, 2 * pi) else 2 * sympy.pi / sympy.Float(period))
                found *= sympy.cos(phase) ** cosine * sympy.sin(phase) ** sine
        return found


def equations_of(
    library: Library,
    columns: Sequence[str],
    coordinates: Sequence[str],
    values: np.ndarray,
    errors: np.ndarray,
    size: np.ndarray,
    *,
    width: float | None = None,
    level: float = 0.95,
    explained: float = 1.0,
    origins: Mapping[int, float] | None = None,
) -> Equations:
    """Return equations from the coefficients of a library.

    Parameters
    ----------
    library
        The products, in the units of the data.
    columns
        What the columns of the coefficients are: ``"H"``, or rates.
    coordinates
        Names of the coordinates.
    values, errors : shape ``(k, J)``
        Coefficients and their standard errors; a term with the value 0 and no error is left out.
    size : shape ``(D,)``
        Magnitude of each coordinate, for the share of each term.
    width
        Half the width of an interval in standard errors; by default, that of the normal distribution.
    level, explained
        As for `Equations`.
    origins
        Origins of angles, by index, if they are not 0.

    Raises
    ------
    InputError
        Unless 0 < level < 1.
    """
    if not 0 < level < 1:
        raise InputError(f"the level of a confidence interval must be between 0 and 1, not {level}")
    width = float(norm.ppf((1 + level) / 2)) if width is None else width
    origins = origins or {}
    angles = {coordinates[i]: (period, origins.get(i, 0.0)) for i, period in library.angles.items()}
    sizes = np.array([np.prod([size[i] ** e for i, e in enumerate(term[: library.size]) if i not in library.angles])
                      for term in library.terms]).reshape(-1, 1)  # fmt: skip
    share = np.abs(values) * sizes
    share = share / np.maximum(share.max(axis=0, initial=0.0), 1e-300)
    rows: list[dict[str, Any]] = []
    terms = []
    for j, column in enumerate(columns):
        for k, term in enumerate(library.terms):
            value, error = float(values[k, j]), float(errors[k, j])
            if value == 0 and not error > 0:
                continue
            factors = dict(_factors(term, library, coordinates))
            terms.append((column, factors))
            rows.append(
                {"of": column, "term": _text(factors, angles), "value": value, "error": error}
                | {"low": value - width * error, "high": value + width * error, "share": float(share[k, j])}
            )
    names = ["of", "term", "value", "error", "low", "high", "share"]
    return Equations(pd.DataFrame(rows, columns=names), level, explained, terms, angles)


def _factors(term: Term, library: Library, coordinates: Sequence[str]) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Yield the powers of each coordinate, of its cosine and of its sine in a product, by the coordinate."""
    sines = list(library.angles)
    for i, name in enumerate(coordinates):
        powers = (0, term[i], term[library.size + sines.index(i)]) if i in library.angles else (term[i], 0, 0)
        if any(powers):
            yield name, powers


def _text(factors: Mapping[str, tuple[int, int, int]], angles: Mapping[str, tuple[float, float]]) -> str:
    parts = []
    for name, powers in factors.items():
        phase = name
        if name in angles:
            period, origin = angles[name]
            phase = f"{name} - {origin:.6g}" if origin else name
            if not isclose(period, 2 * pi):
                phase = f"{2 * pi / period:.6g}*({phase})" if origin else f"{2 * pi / period:.6g}*{name}"
        for power, one in zip(powers, (name, f"cos({phase})", f"sin({phase})"), strict=True):
            if power:
                parts.append(one if power == 1 else f"{one}**{power}")
    return "*".join(parts) or "1"


def _rounded(value: float, error: float, digits: int) -> float:
    """Return a value with as many digits as its error allows, at least two."""
    if value and isfinite(error) and error > 0:
        digits = min(digits, max(2, round(log10(abs(value)) - log10(error)) + 2))
    return float(f"{value:.{digits}g}")
