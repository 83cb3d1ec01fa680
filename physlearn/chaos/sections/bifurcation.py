"""Bifurcation diagrams: what orbits do in the long run, for many values of a parameter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.chaos.leaving import Bounds
from physlearn.chaos.parameters import Adjustable, values_of, with_parameters
from physlearn.chaos.resolution import Resolution, resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.events import events
from physlearn.chaos.sections.iterates import iterates
from physlearn.chaos.sections.maxima import Maxima, with_rest
from physlearn.chaos.sections.section import surface_of
from physlearn.chaos.sections.strobe import phase_of, strobed, whole_periods
from physlearn.flow import FlowLike
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.floats import takes_arrays
from systems.maps import Map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCALES, PERIODS, ITERATES = 200.0, 60, 200  # the default time, for flows, for driven flows, and for maps
TRANSIENTS = 4  # the default transient, in times
REPEATS = 3  # least number of times that a cycle must have been seen
TOLERANCE = 1e-3  # by which repetitions may differ, relative to the range of all values

At = Literal["maxima"] | tuple[str | int, float]
Points = str | tuple[str, float]  # what the points of a diagram are


@dataclass(frozen=True, repr=False)
class BifurcationDiagram(Brief):
    """The values of a coordinate on the attractors of a system, for many values of a parameter.

    Parameters
    ----------
    table
        One row per point: the value of the parameter in the column ``parameter``, ``orbit`` (the number of the initial state),
        ``t``, and the ``value`` of the coordinate.
    orbits
        One row per orbit: ``parameter``, ``orbit``, ``points`` (their number), and whether the orbit ``escaped`` or is
        ``unresolved`` by the steps. Such orbits have no points.
    parameter
        Name of the parameter.
    coordinate
        Name of the coordinate.
    at
        What the points are: "iterates", "maxima", or a surface.
    """

    table: pd.DataFrame
    orbits: pd.DataFrame
    parameter: str
    coordinate: str
    at: str | tuple[str, float]

    def cycles(self, tolerance: float = TOLERANCE) -> pd.DataFrame:
        """Find the periods of the cycles on which the orbits end.

        Parameters
        ----------
        tolerance
            Largest difference between repetitions, relative to the range of all values in the diagram.

        Returns
        -------
        DataFrame
            The table ``orbits`` with the column ``period``: the number of points after which the values repeat. It is missing
            if they do not, or have not repeated often enough for a period to be seen.

        Raises
        ------
        InputError
            If the tolerance is not a positive number.
        """
        if not 0 < tolerance < inf:
            raise InputError(f"tolerance must be a positive number, not {tolerance}")
        values = self.table["value"].to_numpy()
        allowed = tolerance * (float(np.ptp(values)) or 1.0) if len(values) else tolerance
        ends = np.cumsum(self.orbits["points"].to_numpy())
        series = np.split(values, ends[:-1])
        periods = [_period(one, allowed) for one in series]
        return self.orbits.assign(period=pd.array(periods, dtype="Int64"))

    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw the diagram with `physlearn.plotting.bifurcation_plot`.

        Parameters
        ----------
        ax
            Where to draw; by default, a new figure.
        **style
            Options of matplotlib's ``plot``.

        Returns
        -------
        Axes
            The matplotlib axes.
        """
        from physlearn.plotting import bifurcation_plot

        return bifurcation_plot(self.table, self.parameter, self.coordinate, ax=ax, **style)


@takes_arrays("z0")
@unrecorded
def bifurcation_diagram(
    system: Adjustable,
    parameter: str,
    values: Iterable[float],
    *,
    z0: Tensor | None = None,
    coordinate: str | int | None = None,
    at: At | None = None,
    direction: int = 1,
    time: float | None = None,
    dt: float | None = None,
    transient: float | None = None,
    seed: int = 0,
    progress: bool = True,
) -> BifurcationDiagram:
    """Record where orbits are in the long run, for each value of a parameter.

    For each value, orbits from the same initial states are followed through a transient, and then recorded: all iterates of a
    map, the maxima of a coordinate of a flow, or its points on a surface of section. Several initial states show attractors
    that coexist.

    Parameters
    ----------
    system
        A system or a map, or a function that returns a flow for the parameter, which is given by name.
    parameter
        Name of the parameter.
    values
        Its values.
    z0 : shape ``(..., D)``
        Initial states for every value; by default, four samples of the system.
    coordinate
        Name or index of the coordinate whose values are recorded; by default the first one that differs between points.
    at
        "maxima" of the coordinate, among which an orbit that came to rest counts three times; a surface of section, such as
        ``("x", 0.0)``; or ``("phase", 0.0)`` for the states at one phase of the drive. By default the phase 0 if the flow has
        a period in time, and maxima otherwise. A map has all its iterates.
    direction
        Direction in which a surface is crossed: 1 upward, -1 downward, 0 both.
    time
        Time for which orbits are recorded; for a map, the number of iterations. By default 200 time scales of the flow (see
        `lyapunov_exponents`), 60 periods in time, or 200 iterations.
    dt
        Step, as in `poincare_section`.
    transient
        Time before that; by default, four times as long.
    seed
        Random seed of the samples.
    progress
        Whether to show a progress bar, which appears after one second.

    Returns
    -------
    BifurcationDiagram
        The points, and a table of the orbits.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If some orbits are not resolved even with smaller steps; these have no points.

    Examples
    --------
    >>> import systems
    >>> diagram = bifurcation_diagram(systems.maps.get("logistic"), "r", [2.8, 3.2, 3.5, 3.83])
    >>> diagram.cycles().groupby("parameter")["period"].max().tolist()
    [1, 2, 4, 3]
    """
    if transient is not None and not 0 <= transient < inf:
        raise InputError(f"transient must be a finite time of at least 0, not {transient}")
    tables, orbits = [], []
    name, what = "", cast(Points, "iterates")
    for value in tqdm(values_of(parameter, values), disable=not progress, desc="bifurcations", delay=1, leave=False):
        flow = with_parameters(system, **{parameter: value})
        if z0 is None:
            if not hasattr(flow, "sample"):
                raise InputError("initial states are missing: give z0, because the function does not return a system")
            z0 = flow.sample(4, seed=seed)
        rollout = Rollout.of(flow, z0, time, dt, scales=SCALES, maps=True)
        if time is None and rollout.flow.discrete:
            rollout = replace(rollout, steps=ITERATES)
        elif time is None and rollout.flow.period is not None:
            rollout = _lasting(rollout, PERIODS * rollout.flow.period)
        before = TRANSIENTS * rollout.time if transient is None else transient
        whole = _lasting(rollout, before + rollout.time)
        name, what, found = _points(whole, flow, coordinate, at, direction, before)
        orbit, t, numbers, escaped, unresolved = found
        kept = (t > before * (1 + 1e-9)) & ~escaped[orbit]
        points = torch.bincount(orbit[kept], minlength=len(rollout.z))
        tables.append(_frame(value, orbit=orbit[kept], t=t[kept], value=numbers[kept]))
        each = torch.arange(len(rollout.z))
        orbits.append(_frame(value, orbit=each, points=points, escaped=escaped, unresolved=unresolved))
    table, told = (pd.concat(parts, ignore_index=True) for parts in (tables, orbits))
    return BifurcationDiagram(table, told, parameter=parameter, coordinate=name, at=what)


def _lasting(rollout: Rollout, time: float) -> Rollout:
    """Return the rollout with as many steps as the time needs."""
    return replace(rollout, steps=max(1, round(time / rollout.dt)))


def _points(
    rollout: Rollout, flow: FlowLike | Map, coordinate: str | int | None, at: At | None, direction: int, before: float
) -> tuple[str, Points, tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
    """Return the coordinate, what the points are, and (orbit, t, value, escaped, unresolved)."""
    names, bounds = rollout.coordinates, Bounds.of(rollout, None)
    if at is None and not rollout.flow.discrete:
        at = "maxima" if rollout.flow.period is None else ("phase", 0.0)
    axis = _index(coordinate, names)
    what = cast(Points, at)
    if rollout.flow.discrete:
        if at is not None:
            raise InputError(f"a map has its iterates, but at is {at!r}; leave at out")
        resolution, what = resolve(rollout), "iterates"
        everyone = torch.arange(len(rollout.z), device=rollout.z.device)
        found = iterates(rollout, bounds.among(everyone, resolution.scale))
    elif at == "maxima":
        resolution = resolved(rollout)
        found = with_rest(rollout, resolution, events(rollout, resolution, Maxima(axis), bounds), before)
    elif (phase := phase_of(rollout, at)) is not None:
        rollout = whole_periods(rollout)
        resolution = resolved(rollout)
        found = strobed(rollout, resolution, phase, bounds)
    else:
        if isinstance(at, str):
            raise InputError(f"at must be 'maxima' or a surface, such as ('x', 0.0), not {at!r}")
        surface = surface_of(flow, rollout, at, direction)
        what = (names[surface.axis], surface.value)
        if coordinate is None:
            axis = next((i for i in range(len(names)) if i != surface.axis), 0)
        resolution = resolved(rollout)
        found = events(rollout, resolution, surface, bounds)
    orbit, t, z, escaped = (part.cpu() for part in found)
    return names[axis], what, (orbit, t, z[:, axis], escaped, ~resolution.resolved.cpu())


def resolved(rollout: Rollout) -> Resolution:
    """Return the resolution of a rollout, with a warning about orbits that no step resolves."""
    resolution = resolve(rollout)
    resolution.warn(rollout, "they are left out of the diagram")
    return resolution


def _index(coordinate: str | int | None, names: tuple[str, ...]) -> int:
    if coordinate is None:
        return 0
    if coordinate in names:
        return names.index(str(coordinate))
    if isinstance(coordinate, int) and 0 <= coordinate < len(names):
        return coordinate
    raise InputError(f"there is no coordinate {coordinate!r}; the coordinates are {', '.join(names)}")


def _frame(parameter: float, **columns: Tensor) -> pd.DataFrame:
    return pd.DataFrame({"parameter": parameter, **{name: column.numpy() for name, column in columns.items()}})


def _period(values: np.ndarray, allowed: float) -> int | None:
    """Return the smallest number of values after which all repeat."""
    for period in range(1, len(values) // REPEATS + 1):
        if np.abs(values[period:] - values[:-period]).max() <= allowed:
            return period
    return None
