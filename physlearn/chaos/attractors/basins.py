"""Basins of attraction: which attractor each initial state leads to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.chaos.attractors.long_run import Follower
from physlearn.chaos.attractors.state_grid import axes_of
from physlearn.chaos.leaving import Bounds
from physlearn.chaos.resolution import resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.strobe import whole_periods
from physlearn.flow import FlowLike
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.floats import takes_arrays
from systems.maps import Map
from systems.scalars import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Basins(Brief):
    """The attractor of each initial state.

    Parameters
    ----------
    label : shape ``(...)``
        Number of the attractor, from 0 for the one with the most orbits (or the largest coordinates, if several have as many);
        -1 for orbits that escaped, and -2 for orbits that
        have not settled.
    z0 : shape ``(..., D)``
        The initial states.
    attractors
        One row per attractor: ``attractor``, ``orbits`` (their number), ``fraction`` of all initial states and its standard
        ``error`` if these are a random sample, and the mean of each coordinate on the attractor.
    points
        States of one orbit on each attractor: the coordinates, and ``attractor``.
    coordinates
        Names of the coordinates.
    """

    label: Int[Tensor, "*batch"]
    z0: Float[Tensor, "*batch D"]
    attractors: pd.DataFrame
    points: pd.DataFrame
    coordinates: tuple[str, ...]

    def fraction(self, label: int) -> float:
        """Return the fraction of the initial states with a label.

        Parameters
        ----------
        label
            Number of an attractor, -1 for orbits that escaped, or -2 for undecided ones.

        Returns
        -------
        float
            The fraction, from 0 to 1.
        """
        return float((self.label == label).double().mean())

    def plot(self, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw the basins of a grid of initial states with `physlearn.plotting.basin_plot`.

        Parameters
        ----------
        ax
            Where to draw; by default, a new figure.
        **style
            Options of matplotlib's ``pcolormesh``.

        Returns
        -------
        Axes
            The matplotlib axes.

        Raises
        ------
        InputError
            If the initial states are no plane grid, see `state_grid`.
        """
        from physlearn.plotting import basin_plot

        x, y, names = axes_of(self.z0, self.coordinates)
        return basin_plot(x.numpy(), y.numpy(), self.label.cpu().numpy(), names, ax=ax, **style)


@takes_arrays("z0")
@unrecorded
def basins(
    flow: FlowLike | Map,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    coordinates: Sequence[str] | None = None,
    cells: int = 100,
    escape: float | None = None,
    method: str | None = None,
) -> Basins:
    """Find the attractor that each initial state leads to, by recurrences on a grid in phase space.

    Each orbit is followed for the given time, and then recorded for the same time: a flow with a period in time at its phase
    0, once per period. Orbits that have a common cell of the grid, or adjacent cells, are on the same attractor, be it a fixed
    point, a cycle, or chaotic. An orbit counts only if it has settled: half of the second half of its record must lie where
    the first half was, and the record must not shrink. Orbits that have not settled are followed twice as long, up to three
    times, and are undecided if they are on no attractor even then.

    Attractors that are closer than two cells are not told apart, so use more ``cells`` if there are such. An orbit that stays
    on an unstable fixed point, or on the boundary of the basins, has an attractor of its own.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, a function ``f(t, z)``, or a map of `systems.maps`.
    z0 : shape ``(..., D)``
        Initial states, such as a `state_grid` or a sample.
    time
        Time in which orbits settle; for a map, the number of iterations.
    dt
        Step, as in `poincare_section`.
    coordinates
        Coordinates in which attractors are told apart, at most 8; by default all.
    cells
        Number of cells along each coordinate, over the range of initial and final states or over the period of an angle.
    escape
        Radius beyond which an orbit has escaped, as in `poincare_section`.
    method
        An explicit integrator, as in `poincare_section`.

    Returns
    -------
    Basins
        The label of each initial state, and the attractors.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If orbits are not resolved even with smaller steps, and are therefore undecided.

    References
    ----------
    Datseris and Wagemakers, Chaos 32, 023104 (2022), whose method follows one orbit at a time.

    Examples
    --------
    >>> def double_well(t, z):
    ...     return z - z**3
    >>> found = basins(double_well, torch.tensor([[-2.0], [-0.1], [0.1], [0.5], [1.5]]), time=20)
    >>> found.label.tolist()
    [1, 1, 0, 0, 0]
    """
    if whole("cells", cells) < 2:
        raise InputError(f"cells must be at least 2, not {cells}")
    rollout = Rollout.of(flow, z0, time, dt, method, maps=True)
    if rollout.flow.period is not None:
        rollout = whole_periods(rollout)
    names = rollout.coordinates if coordinates is None else tuple(coordinates)
    if not names or (unknown := [name for name in names if name not in rollout.coordinates]):
        what = f"there is no coordinate {unknown[0]!r}" if names else "coordinates is empty"
        raise InputError(f"{what}; the coordinates are {', '.join(rollout.coordinates)}")
    axes = [rollout.coordinates.index(name) for name in names]
    resolution = resolve(rollout)
    resolution.warn(rollout, "they are undecided")
    follower = Follower(rollout, resolution, Bounds.of(rollout, escape), axes, cells)
    label, settled = follower.labels()
    counts = np.bincount(label[label >= 0])
    firsts = [int(np.nonzero((label == one) & settled)[0][0]) for one in range(len(counts))]
    records = [follower.record_of(orbit) for orbit in firsts]
    means = [record.mean(0) for record in records]
    order = sorted(range(len(counts)), key=lambda one: (-counts[one], *(-np.round(means[one], 6))))
    rank = np.argsort(order)
    label = np.where(label >= 0, rank[label], label) if len(rank) else label
    fraction = counts[order] / max(1, len(label))
    table: dict[str, Any] = {"attractor": np.arange(len(order)), "orbits": counts[order], "fraction": fraction}
    table["error"] = np.sqrt(fraction * (1 - fraction) / max(1, len(label)))
    table |= {name: [means[one][i] for one in order] for i, name in enumerate(rollout.coordinates)}
    points = [pd.DataFrame(records[one], columns=list(rollout.coordinates)) for one in order]
    points = [frame.assign(attractor=number) for number, frame in enumerate(points)]
    result = Basins(
        label=torch.from_numpy(label).reshape(rollout.batch).to(rollout.z.device),
        z0=rollout.z.reshape(*rollout.batch, len(rollout.coordinates)),
        attractors=pd.DataFrame(table),
        points=pd.concat(points, ignore_index=True) if points else pd.DataFrame(columns=[*rollout.coordinates, "attractor"]),
        coordinates=rollout.coordinates,
    )
    return rollout.rounded(result)
