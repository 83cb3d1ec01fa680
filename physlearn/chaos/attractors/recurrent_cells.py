"""Tell attractors apart by the cells of phase space that orbits visit in the long run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import isfinite

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from systems import InputError

MOST_COORDINATES = 8  # of the grid: each state belongs to 2^D corners of cells
RECURRENT = 0.5  # least part of the second half of a record that must lie where the first half was
SHRINKING = 0.75  # least size of the second half, relative to the first: a spiral that still decays is smaller
AMONG = 0.5  # least part of the corners of an orbit that belong to the attractor on which it is
FACTORS = np.random.default_rng(0).integers(2**62, size=MOST_COORDINATES, dtype=np.int64) * 2 + 1  # give corners one number


@dataclass(frozen=True)
class Cells:
    """A grid in phase space. States in the same cell or in adjacent ones have a corner in common.

    Parameters
    ----------
    low : shape ``(D,)``
        The origin of the grid.
    size : shape ``(D,)``
        Size of the cells.
    counts : shape ``(D,)``
        Number of cells in a period, or 0 for coordinates that are not angles.
    """

    low: Float[np.ndarray, " D"]
    size: Float[np.ndarray, " D"]
    counts: Int[np.ndarray, " D"]

    @classmethod
    def of(cls, states: Float[np.ndarray, "n D"], periods: list[float], cells: int) -> Cells:
        """Return a grid with a number of cells along each coordinate of the states, and along the period of an angle."""
        if states.shape[-1] > MOST_COORDINATES:
            raise InputError(
                f"attractors are told apart in at most {MOST_COORDINATES} coordinates, not in {states.shape[-1]}; name "
                "fewer by coordinates"
            )
        low, extent = states.min(0), np.ptp(states, axis=0)
        angles = np.array([isfinite(period) for period in periods])
        extent = np.where(angles, periods, np.where(extent > 0, extent, np.maximum(np.abs(low), 1.0)))
        return cls(low, extent / cells, np.where(angles, cells, 0))

    def corners(self, states: Float[np.ndarray, "*n D"]) -> Int[np.ndarray, "*n corners"]:
        """Return the corners of the cell of each state, as one number each."""
        cell = np.floor((states - self.low) / self.size).astype(np.int64)
        corners = cell[..., None, :] + np.array(list(product((0, 1), repeat=states.shape[-1])))
        corners = np.where(self.counts > 0, corners % np.maximum(self.counts, 1), corners)
        with np.errstate(over="ignore"):  # it wraps around, so that different corners have different numbers
            return np.asarray((corners * FACTORS[: states.shape[-1]]).sum(-1))

    def settled(self, record: Float[np.ndarray, "n W D"], corners: Int[np.ndarray, "n W corners"]) -> Bool[np.ndarray, " n"]:
        """Return which orbits come back to where they were, and do not shrink toward something else."""
        half = record.shape[1] // 2
        before, after = (np.ptp(part, axis=1) for part in (record[:, :half], record[:, -half:]))
        lasting = (after >= SHRINKING * before) | (np.abs(after - before) < self.size) | (self.counts > 0)
        back = self.resting(record)
        for orbit in np.nonzero(lasting.all(-1) & ~back)[0]:
            one = corners[orbit]
            back[orbit] = np.isin(one[-half:], one[:half]).any(-1).mean() >= RECURRENT
        return lasting.all(-1) & back

    def resting(self, record: Float[np.ndarray, "n W D"]) -> Bool[np.ndarray, " n"]:
        """Return which orbits stay within the size of a cell."""
        return np.asarray((np.ptp(record, axis=1) < self.size).all(-1))


def numbered(
    orbits: Int[np.ndarray, " N"], corners: Int[np.ndarray, " N"], settled: Bool[np.ndarray, " n"]
) -> Int[np.ndarray, " n"]:
    """Return the number of the attractor of each orbit, from 0; -1 for orbits that are on none.

    Settled orbits that have a corner in common are on the same attractor. Other orbits are on an attractor if at least half of
    their corners are.

    Parameters
    ----------
    orbits, corners : shape ``(N,)``
        The orbits and the corners that they visit.
    settled : shape ``(n,)``
        Which orbits have settled.
    """
    n = len(settled)
    names, place = np.unique(corners, return_inverse=True)
    known = settled[orbits]
    ends = orbits[known], n + place[known]
    graph = coo_matrix((np.ones(len(ends[0]), dtype=bool), ends), shape=(n + len(names),) * 2)
    found = connected_components(graph, directed=False)[1]
    kept = np.unique(found[:n][settled])
    label = np.where(settled, np.searchsorted(kept, found[:n]), -1)
    of_corner = np.full(len(names), -1)
    of_corner[place[known]] = label[orbits[known]]
    for orbit in np.unique(orbits[~known]):
        on = of_corner[place[orbits == orbit]]
        counts = np.bincount(on[on >= 0], minlength=1)
        if counts.max() >= AMONG * len(on):
            label[orbit] = counts.argmax()
    return label
