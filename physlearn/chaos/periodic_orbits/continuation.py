"""Families of periodic orbits: continuation in a parameter, the energy or the period, and their bifurcations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite, nan, sqrt
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.periodic_orbits import levenberg
from physlearn.chaos.periodic_orbits.branch import Branch
from physlearn.chaos.periodic_orbits.orbit import TOLERANCE, Fixed, PeriodicOrbit, described
from physlearn.chaos.periodic_orbits.unit_circle import Signs, crossed, signs_of
from physlearn.flow import FlowLike
from systems import InputError, IntegrationError
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.floats import takes_arrays

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STEP, SMALLEST = 0.05, 1e-6  # largest and smallest step, in units of the orbit's spread and of the interval
GROW, SHRINK = 1.4, 0.5  # factors of the step after success and failure
STRAIGHT = 0.95  # smallest cosine of the angle between two consecutive directions
CORRECTIONS = 8  # steps of the corrector
HALVINGS, EXACT = 40, 1e-9  # search for a bifurcation within a step, and its accuracy relative to the step
VANISHED = 1e-4  # part of the first spread below which the orbit has become an equilibrium


@dataclass(frozen=True, repr=False)
class Family(Brief):
    """A family of periodic orbits, in the order in which it was followed.

    Parameters
    ----------
    parameter
        Name of the parameter.
    orbits
        The orbits.
    table
        One row per orbit: the parameter, ``period``, ``energy`` if it is conserved, ``largest`` (the largest modulus of the
        multipliers without the trivial ones), ``stable``, ``bifurcation`` (``"fold"``, ``"branch"``, ``"flip"``,
        ``"Neimark-Sacker"`` or ``"Krein"`` where a multiplier crosses the unit circle; otherwise empty), and all multipliers,
        ``multiplier_0`` and so on.
    ended
        Why the family ends where it does.
    """

    parameter: str
    orbits: tuple[PeriodicOrbit, ...]
    table: pd.DataFrame
    ended: str

    @property
    def bifurcations(self) -> pd.DataFrame:
        """The rows of the table at which a multiplier crosses the unit circle."""
        return self.table[self.table["bifurcation"] != ""]

    def plot(self, y: str = "period", **options: Any) -> Axes:
        """Draw a column of the table against the parameter with `physlearn.plotting.family_plot`.

        Parameters
        ----------
        y
            The column.
        **options
            Options of `physlearn.plotting.family_plot`, such as ``ax``.

        Returns
        -------
        Axes
            The matplotlib axes.
        """
        from physlearn.plotting import family_plot

        return family_plot(self.table, self.parameter, y, **options)


@dataclass(frozen=True)
class _Point:
    """An orbit of the family, its unknowns with the parameter, the direction of the family, and the signs of bifurcations."""

    branch: Branch
    x: Float[Tensor, " n"]
    direction: Float[Tensor, " n"]
    orbit: PeriodicOrbit
    signs: Signs

    @property
    def value(self) -> float:
        """The parameter."""
        return self.branch.value(self.x)


@takes_arrays("z0")
@unrecorded
def continue_periodic_orbit(
    flow: FlowLike | Callable[[float], FlowLike],
    z0: Float[Tensor, " D"],
    parameter: str,
    interval: tuple[float, float],
    *,
    period: float | None = None,
    fix: Fixed | None = None,
    transient: float = 0.0,
    step: float = STEP,
    most: int = 500,
    tolerance: float = TOLERANCE,
) -> Family:
    r"""Follow a periodic orbit through an interval of a parameter, and find where it changes its stability.

    The family is followed by its arc length, so that it can turn back in the parameter at a fold. At each orbit the
    multipliers are computed. Between two orbits with a different stability, the bifurcation is located to 1e-9 of the step:

    ==================  =========================================================================================
    fold                a multiplier crosses 1 and the family turns back in the parameter
    branch              a multiplier crosses 1 and the family goes on, as where a symmetry is broken (pitchfork)
    flip                a multiplier crosses -1: an orbit of twice the period branches off
    Neimark-Sacker      a complex pair crosses the unit circle: a torus branches off
    Krein               complex pairs of a conservative flow collide on the unit circle and leave it
    ==================  =========================================================================================

    Parameters
    ----------
    flow
        A system with the parameter, or a function that returns the flow for a value of the parameter. For the parameters
        ``"energy"`` and ``"period"``, a flow.
    z0 : shape ``(D,)``
        A state near the periodic orbit at the first value of the interval.
    parameter
        Name of the parameter, or ``"energy"`` or ``"period"`` to follow the family of a conservative flow.
    interval : tuple of two floats
        First and last value of the parameter. The family ends when it leaves the interval.
    period, fix, transient
        As in `periodic_orbit`. With ``fix``, the orbits of a conservative flow keep their energy or period while another
        parameter changes.
    step
        Largest step along the family, relative to the orbit's spread and to the length of the interval.
    most
        Largest number of orbits.
    tolerance
        As in `periodic_orbit`.

    Returns
    -------
    Family
        The orbits and their table. ``ended`` says why the family ends.

    Raises
    ------
    InputError
        For invalid arguments, or if there is no periodic orbit near the state at the first value.

    References
    ----------
    Kuznetsov, *Elements of Applied Bifurcation Theory*, chapters 5 and 10.

    Examples
    --------
    >>> import systems
    >>> family = continue_periodic_orbit(systems.get("van-der-pol"), [2.0, 0.0], "mu", (1.0, 1.1))
    >>> print(f"{family.table['period'].iloc[0]:.6f} {family.table['period'].iloc[-1]:.6f}", family.ended)
    6.663287 6.739422 mu reached 1.1
    """
    first, last = _interval(interval)
    if not 0 < step <= 1:
        raise InputError(f"step must lie between 0 and 1, not {step}")
    if not most >= 2:
        raise InputError(f"most must be at least 2, not {most}")
    start, x = Branch.start(flow, z0, parameter, (first, last), period, fix, transient, tolerance)
    point = _at(start, x, None, tolerance)
    spread, points, h = float(start.loop.size.norm()), [point], step / 4
    kinds, ended = [""], f"{most} orbits were computed; increase most"
    while len(points) < most:
        found = _next(point, h, tolerance)
        if found is None:
            h *= SHRINK
            if h < SMALLEST:
                ended = f"the step became too small at {parameter} = {point.value:.6g}"
                break
            continue
        if abs(found.value - (first + last) / 2) > abs(last - first) / 2 * (1 + 1e-9):
            border = last if abs(found.value - last) < abs(found.value - first) else first
            inside = _located(point, h, partial(_beyond, border), tolerance)
            for kind, one in [*_between(point, inside, tolerance), ("", inside)]:
                points.append(one)
                kinds.append(kind)
            ended = f"{parameter} reached {border:g}"
            break
        for kind, one in [*_between(point, found, tolerance), ("", found)]:
            points.append(one)
            kinds.append(kind)
        point = _rescaled(found, tolerance)
        h = min(step, GROW * h)
        if float(point.branch.loop.size.norm()) < VANISHED * spread:
            ended = f"the orbit shrinks to an equilibrium at {parameter} = {point.value:.6g}"
            break
    return Family(parameter, tuple(p.orbit for p in points), _table(parameter, points, kinds), ended)


def _interval(interval: tuple[float, float]) -> tuple[float, float]:
    try:
        first, last = (float(value) for value in interval)
    except (TypeError, ValueError):
        raise InputError(f"interval must be the first and the last value of the parameter, not {interval!r}") from None
    if first == last or not (isfinite(first) and isfinite(last)):
        raise InputError(f"interval must be two different finite values, not {first} and {last}")
    return first, last


def _at(branch: Branch, x: Float[Tensor, " n"], before: Tensor | None, tolerance: float) -> _Point:
    """Return the point of the family at a solution, with its direction towards the rest of the family."""
    value, slope = branch(x)
    direction = branch.direction(x, slope, before)
    orbit = described(branch.loop_of(x), branch.own(x), branch.conservative, float(value.abs().max()))
    return _Point(branch, x, direction, orbit, signs_of(orbit, float(branch.gradient(x) @ direction)))


def _next(point: _Point, h: float, tolerance: float) -> _Point | None:
    """Return the point after a step along the family, or None if the step is too long."""
    length = h * sqrt(point.branch.loop.segments)
    guess, direction = point.x + length * point.direction, point.direction

    def equations(x: Tensor) -> tuple[Tensor, Tensor]:
        value, slope = point.branch(x)
        ahead = (direction @ (x - guess))[None]
        return torch.cat([value, ahead]), torch.cat([slope, direction[None]])

    try:
        found = levenberg.solve(equations, guess, tolerance, CORRECTIONS)
        if not found.residual <= tolerance or float((found.x - guess).norm()) > length / 2:
            return None
        after = _at(point.branch, found.x, direction, tolerance)
    except (InputError, IntegrationError):
        return None
    return after if float(after.direction @ direction) > STRAIGHT else None


def _located(point: _Point, h: float, test: Callable[[_Point], float], tolerance: float) -> _Point:
    """Return the point within a step at which a test changes its sign, by the Illinois method."""
    best = _next(point, h, tolerance)
    if best is None:
        raise InputError(
            f"the family cannot be followed beyond {point.branch.parameter} = {point.value:.6g}; take a smaller step"
        )
    ends, values = [0.0, h], [test(point), test(best)]
    for _ in range(HALVINGS):
        if abs(ends[1] - ends[0]) <= EXACT * h or values[1] == 0.0:
            break
        middle = (ends[0] * values[1] - ends[1] * values[0]) / (values[1] - values[0])
        found = _next(point, middle, tolerance)
        if found is None:
            break
        best, value = found, test(found)
        if value * values[1] < 0:
            ends[0], values[0] = ends[1], values[1]
        else:
            values[0] /= 2
        ends[1], values[1] = middle, value
    return best


def _between(point: _Point, after: _Point, tolerance: float) -> list[tuple[str, _Point]]:
    """Return the bifurcations between two points, in order."""
    length = float(point.direction @ (after.x - point.x)) / sqrt(point.branch.loop.segments)
    found = []
    for kind, test in crossed(point.signs, after.signs):
        one = _located(point, length, partial(_sign, test), tolerance)
        found.append((float(point.direction @ (one.x - point.x)), kind, one))
    return [(kind, one) for _, kind, one in sorted(found, key=lambda item: item[0])]


def _rescaled(point: _Point, tolerance: float) -> _Point:
    """Return the same point with the units, and the number of segments, that suit its orbit."""
    branch, x, direction = point.branch.rescaled(point.x, point.direction)
    if branch is point.branch:
        return point
    return _at(branch, x, direction, tolerance)


def _beyond(border: float, point: _Point) -> float:
    return point.value - border


def _sign(function: Callable[[Signs], float], point: _Point) -> float:
    return function(point.signs)


def _table(parameter: str, points: list[_Point], kinds: list[str]) -> pd.DataFrame:
    rows = []
    for point, kind in zip(points, kinds, strict=True):
        orbit = point.orbit
        row: dict[str, Any] = {parameter: point.value, "period": orbit.period}
        if orbit.energy is not None:
            row["energy"] = orbit.energy
        others = orbit.others.abs()
        row |= {"largest": float(others.max()) if len(others) else nan, "stable": orbit.stable, "bifurcation": kind}
        rows.append(row | {f"multiplier_{i}": value for i, value in enumerate(orbit.multipliers.tolist())})
    return pd.DataFrame(rows)
