"""Delay embedding: states from the past of what was measured."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from math import e
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from systems.errors import AccuracyWarning, InputError, outside
from systems.recording.even_steps import common_step, even_stretches
from systems.recording.unwrapping import continuous
from systems.scalars import real, whole

if TYPE_CHECKING:
    from systems.orbit import Orbit

Floats = NDArray[np.float64]
BINS = 16  # equally probable intervals of each value
LONGEST = 0.25  # of the usual run; largest lag that is tried
MOST_DIM = 10  # largest dimension that is tried
POINTS = 2000  # states whose neighbours are sought
FALSE = 0.05  # part of false neighbours that is accepted
FARTHER = 15.0  # factor by which a false neighbour moves away with one more delay
TINY = 1e-9  # of the spread: rounding
SPREAD = 2.0  # distance of a false neighbour, in units of the spread
WHAT = "a delay embedding"


def delay_embedding(orbit: Orbit, dim: int | None = None, lag: float | None = None) -> Orbit:
    r"""Return the states :math:`(x(t), x(t - \tau), \dots, x(t - (m - 1) \tau))` of measured coordinates x.

    With enough delays, they determine the state of the system, although only some of its coordinates were measured. Angles
    continue across their periods.

    Parameters
    ----------
    orbit : Orbit
        An orbit or a batch, at equal steps. It may have holes, across which no states are formed.
    dim : int, optional
        Number m of values of each coordinate. Defaults to the smallest for which at most 5 % of the nearest neighbours are
        false, because they move apart with one more delay.
    lag : float, optional
        The lag :math:`\tau`, in the unit of time; a multiple of the step. Defaults to the first minimum of the mutual
        information of x(t) and x(t - lag), averaged over the coordinates.

    Returns
    -------
    Orbit
        Orbits with m times as many coordinates, named ``x``, ``x(t - lag)`` and so on: those of the present come first. They
        have rates if the orbit has. ``provenance["embedding"]`` has ``dim`` and ``lag``.

    Raises
    ------
    InputError
        If steps are not equal, if the lag is no multiple of the step, or if no run is long enough.

    Warns
    -----
    AccuracyWarning
        If no dimension up to 10 has so few false neighbours, as with much noise; the one with the fewest is then used.

    References
    ----------
    Takens, Lect. Notes Math. 898, 366 (1981). Fraser and Swinney, Phys. Rev. A 33, 1134 (1986), on the lag. Kennel, Brown and
    Abarbanel, Phys. Rev. A 45, 3403 (1992), on the dimension.

    Examples
    --------
    >>> import systems
    >>> lorenz = systems.get("lorenz")
    >>> whole = lorenz.orbit(lorenz.sample(1), torch.arange(3000) * 0.02)[0]
    >>> x = systems.Orbit(whole.t, whole.z[:, :1], coordinates=("x",))
    >>> delay_embedding(x, lag=0.16).coordinates
    ('x', 'x(t - 0.16)', 'x(t - 0.32)')
    """
    dim, lag = chosen_delays([orbit], dim, lag)
    found = embedded([orbit], dim, lag)
    if not found:
        raise InputError(
            f"{WHAT} of dimension {dim} and lag {lag:.6g} needs runs longer than {(dim - 1) * lag:.6g}: give longer runs"
        )
    return found[0] if len(found) == 1 and len(orbit.shape) == 1 else type(orbit).of(found)


def chosen_delays(orbits: Sequence[Orbit], dim: int | None = None, lag: float | None = None) -> tuple[int, float]:
    """Return the dimension and the lag of the `delay_embedding` of orbits, chosen from them where they are None.

    Parameters
    ----------
    orbits : sequence of Orbit
        Orbits or batches.
    dim, lag
        As for `delay_embedding`, which also tells the errors and warnings.
    """
    step = common_step(orbits, WHAT)
    runs = [continuous(one).z.numpy() for one in even_stretches(orbits, step, WHAT)]
    if dim is not None and whole("dim", dim) < 1:
        raise InputError(f"dim must be at least 1, not {dim}")
    if lag is None:
        steps = first_minimum(mutual_information(runs, _longest(runs)))
    else:
        steps = round(real("lag", lag) / step)
        if steps < 1 or abs(lag / step - steps) > 0.02:
            raise InputError(f"lag must be a positive multiple of the step {step:.6g}, not {lag:.6g}")
    if dim is None:
        parts = false_neighbours(runs, steps)
        low = [m for m, part in enumerate(parts, start=1) if part <= FALSE]
        dim = low[0] if low else 1 + int(np.argmin(parts))
        if not low:
            warnings.warn(
                f"{min(parts):.1%} of the nearest neighbours are false with {dim} delays, and more with other numbers: the "
                "data may be noisy, or too few; check the embedding by forecasts, or give dim",
                AccuracyWarning,
                stacklevel=outside(),
            )
    return int(dim), float(f"{steps * step:.10g}") if lag is None else float(lag)


def embedded(orbits: Sequence[Orbit], dim: int, lag: float) -> list[Orbit]:
    """Return the delay embedding of each stretch of orbits that is long enough."""
    step = common_step(orbits, WHAT)
    steps, found = round(lag / step), []
    for one in even_stretches(orbits, step, WHAT):
        first = (dim - 1) * steps
        if len(one.t) <= first:
            continue
        z = continuous(one).z.numpy()
        parts = [torch.from_numpy(z), *([] if one.rate is None else [one.rate])]
        shifted = [torch.cat([x[first - j * steps : len(x) - j * steps] for j in range(dim)], dim=-1) for x in parts]
        found.append(
            replace(
                one,
                t=one.t[first:],
                z=shifted[0],
                rate=shifted[1] if one.rate is not None else None,
                coordinates=delayed_names(one.coordinates, dim, lag),
                provenance={**one.provenance, "embedding": {"dim": dim, "lag": lag}},
                periods={},
                units=_units(one, dim, lag),
            )
        )
    return found


def delayed_names(coordinates: Sequence[str], dim: int, lag: float) -> tuple[str, ...]:
    """Return the names of the coordinates of a delay embedding.

    >>> delayed_names(("x", "y"), 2, 0.5)
    ('x', 'y', 'x(t - 0.5)', 'y(t - 0.5)')
    """
    return tuple(f"{name}(t - {j * lag:.6g})" if j else name for j in range(dim) for name in coordinates)


def mutual_information(runs: Sequence[Floats], longest: int) -> Floats:
    """Return the mutual information of values and those some steps before, averaged over the coordinates, in bits.

    Values are sorted into 16 equally probable intervals.

    Parameters
    ----------
    runs : sequence of array, shape ``(T, D)``
        Values at equal steps.
    longest : int
        Largest number of steps.

    Returns
    -------
    array, shape ``(longest + 1,)``
        Mutual information for 0, 1, 2, ... steps.
    """
    together = np.concatenate(runs)
    bins = min(BINS, max(2, int(np.sqrt(len(together) / 5))))
    edges = np.quantile(together, np.arange(1, bins) / bins, axis=0)
    binned = [np.stack([np.searchsorted(edges[:, i], run[:, i]) for i in range(run.shape[1])], axis=-1) for run in runs]
    found = np.zeros(longest + 1)
    for steps in range(longest + 1):
        for i in range(together.shape[1]):
            pairs = [bins * run[steps:, i] + run[: len(run) - steps, i] for run in binned if len(run) > steps]
            joint = np.bincount(np.concatenate(pairs), minlength=bins**2).reshape(bins, bins) / sum(map(len, pairs))
            product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
            some = joint > 0
            found[steps] += (joint[some] * np.log2(joint[some] / product[some])).sum() / together.shape[1]
    return found


def first_minimum(information: Floats) -> int:
    """Return the first number of steps, at least 1, at which the mutual information is smaller than at both neighbours.

    If it has no minimum, return where it has fallen by a factor e from one step, or the largest number of steps.

    >>> first_minimum(np.array([3.0, 2.0, 1.0, 1.5, 0.5, 1.0]))
    2
    """
    inside = np.flatnonzero((information[1:-1] < information[:-2]) & (information[1:-1] <= information[2:])) + 1
    if len(inside):
        return int(inside[0])
    fallen = np.flatnonzero(information[1:] < information[1:2] / e) + 1
    return int(fallen[0]) if len(fallen) else max(1, len(information) - 1)


def false_neighbours(runs: Sequence[Floats], steps: int) -> list[float]:
    """Return the part of false nearest neighbours with 1, 2, 3, ... delays, up to 10 or as many as the runs allow.

    A neighbour is false if its distance grows by a factor of more than 15 with one more delay, or to more than two spreads.

    Parameters
    ----------
    runs : sequence of array, shape ``(T, D)``
        Values at equal steps.
    steps : int
        Lag in steps.

    Raises
    ------
    InputError
        If no run is longer than the lag.
    """
    together = np.concatenate(runs)
    spread = np.where(together.std(0) > 0, together.std(0), 1.0)
    scaled, found = [(run - together.mean(0)) / spread for run in runs], []
    for dim in range(1, MOST_DIM + 1):
        first = dim * steps
        long = [run for run in scaled if len(run) > first + 1]
        if sum(len(run) - first for run in long) < 20:
            break
        whole = np.concatenate(
            [np.concatenate([run[first - j * steps : len(run) - j * steps] for j in range(dim + 1)], axis=1) for run in long]
        )
        place = np.concatenate([np.arange(len(run) - first) + 2 * k * (len(run) + steps) for k, run in enumerate(long)])
        some = np.unique(np.linspace(0, len(whole) - 1, POINTS).astype(int))
        now = whole[:, : dim * together.shape[1]]
        distances, neighbours = cKDTree(now).query(now[some], k=min(len(now), 2 * steps + 3))
        apart = np.abs(place[neighbours] - place[some][:, None]) > steps
        nearest = np.argmax(apart, axis=1)
        rows = np.flatnonzero(apart.any(1))
        near, other = distances[rows, nearest[rows]], neighbours[rows, nearest[rows]]
        away = np.linalg.norm(whole[other] - whole[some[rows]], axis=1)
        added = np.linalg.norm((whole[other] - whole[some[rows]])[:, dim * together.shape[1] :], axis=1)
        false = (added > FARTHER * near.clip(min=TINY)) & (added > TINY) | (away > SPREAD)
        found.append(float(np.mean(false)) if len(rows) else 1.0)
    if not found:
        raise InputError(
            f"{WHAT} needs runs of at least {steps + 21} states to choose the dimension: give longer runs, or dim"
        )
    return found


def _longest(runs: Sequence[Floats]) -> int:
    """Return the largest lag to try, in steps."""
    usual = max(len(run) for run in runs)
    return max(2, min(int(LONGEST * usual), 500))


def _units(orbit: Orbit, dim: int, lag: float) -> dict[str, str]:
    known = [orbit.units.get(name) for name in orbit.coordinates] * dim
    named = zip(delayed_names(orbit.coordinates, dim, lag), known, strict=True)
    time = {"t": orbit.units["t"]} if "t" in orbit.units else {}
    return {**time, **{name: unit for name, unit in named if unit is not None}}
