"""Follow orbits until they have settled, and record where they are then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.chaos.attractors.recurrent_cells import Cells, numbered
from physlearn.chaos.leaving import Bounds
from physlearn.chaos.resolution import Resolution
from physlearn.chaos.rollout import Rollout
from systems import InputError
from systems.periodic import shortest

ESCAPED, UNDECIDED = -1, -2
RECORD = 400  # most states of an orbit by which its attractor is known
FEWEST = 4  # fewest
ATTEMPTS = 3  # most times that an orbit is followed, each time twice as long
NUMBERS = 2**21  # of the states that are held at once


class Follower:
    """The orbits of a rollout in the long run.

    Parameters
    ----------
    rollout
        The orbits, with the time in which they settle.
    resolution
        The steps that resolve them.
    bounds
        The bounds beyond which they have escaped.
    axes
        Indices of the coordinates in which attractors are told apart.
    cells
        Number of cells along each of these.
    """

    def __init__(self, rollout: Rollout, resolution: Resolution, bounds: Bounds, axes: list[int], cells: int) -> None:
        self.rollout, self.resolution, self.bounds, self.axes, self.cells = rollout, resolution, bounds, axes, cells
        period = rollout.flow.period
        self.unit = 1 if period is None else round(period / rollout.dt)  # steps that are not divided by a record
        if rollout.steps // self.unit < FEWEST:
            what = "steps" if period is None else "periods"
            raise InputError(
                f"time is {rollout.steps // self.unit} {what}, but attractors need at least {FEWEST}; give a longer time"
            )
        self.start = rollout.z.clone()  # of the records
        self.spent = torch.zeros(len(rollout.z), dtype=torch.float64)  # the times when they start

    def labels(self) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """Return the number of the attractor of each orbit, and which orbits have settled."""
        n = len(self.rollout.z)
        escaped = np.zeros(n, dtype=bool)
        groups = list(self.resolution.groups(self.rollout, self.resolution.resolved))
        for rows, group in groups:
            self.start[rows] = group.after(group.z, 0, group.steps)
            self.spent[rows] = group.time
            escaped[rows.cpu().numpy()] = self._left(rows, self.start[rows]).cpu().numpy()
        there = torch.cat([self.rollout.z, self.start[torch.from_numpy(~escaped)]])[:, self.axes].cpu().double().numpy()
        if not len(there):
            return np.full(n, UNDECIDED), escaped
        grid = Cells.of(there, [self.rollout.turning[axis] for axis in self.axes], self.cells)
        settled, visits = np.zeros(n, dtype=bool), [(np.zeros(0, dtype=np.int64),) * 2]
        together = max(1, NUMBERS // (RECORD * len(self.axes) * 2 ** len(self.axes)))
        for rows, group in groups:
            for part in rows[torch.from_numpy(~escaped[rows.cpu().numpy()])].split(together):
                orbits, corners = self._visits(part, group, grid, settled, escaped)
                visits.append((part.cpu().numpy()[orbits], corners))
        orbits, corners = (np.concatenate(columns) for columns in zip(*visits, strict=True))
        label = numbered(orbits, corners, settled)
        label = np.where(escaped, ESCAPED, np.where(label < 0, UNDECIDED, label))
        return label, settled

    def record_of(self, orbit: int) -> Float[np.ndarray, "W D"]:
        """Return the record of an orbit that has settled, with angles within half a period of zero."""
        rows = torch.tensor([orbit], device=self.rollout.z.device)
        level = int(self.resolution.level[orbit])
        states = self._record(rows, self.rollout.among(rows).finer(level), 1)[0]
        return shortest(states, self.rollout.flow.periods, self.rollout.coordinates).cpu().double().numpy()

    def _visits(
        self, rows: Tensor, group: Rollout, grid: Cells, settled: np.ndarray, escaped: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Follow some orbits until they have settled; return their numbers in the group and the corners that they visit."""
        found = [(np.zeros(0, dtype=np.int64),) * 2]
        left = torch.arange(len(rows), device=rows.device)
        for attempt in range(ATTEMPTS):
            own = rows[left]
            states = self._record(own, group, 2**attempt)
            gone = self._left(own, states[:, -1]).cpu().numpy()
            record = states[..., self.axes].cpu().double().nan_to_num(0.0, 0.0, 0.0).numpy()
            corners = grid.corners(record)
            done = grid.settled(record, corners) & ~gone
            rests = grid.resting(record)
            escaped[own.cpu().numpy()] = gone
            settled[own.cpu().numpy()] = done
            for place in np.nonzero(done | (~gone & (attempt == ATTEMPTS - 1)))[0]:
                visited = corners[place, -1] if rests[place] else np.unique(corners[place])
                found.append((np.full(len(visited), int(left[place])), visited))
            on = torch.from_numpy(~(done | gone)).to(rows.device)
            if attempt == ATTEMPTS - 1 or not on.any():
                break
            left, steps = left[on], group.steps * 2 ** (attempt + 1)
            begin = float(self.spent[rows[left[0]]]) / group.dt
            self.start[rows[left]] = group.after(self.start[rows[left]], begin, steps)
            self.spent[rows[left]] += steps * group.dt
        orbits, corners = (np.concatenate(columns) for columns in zip(*found, strict=True))
        return orbits, corners

    def _record(self, rows: Tensor, group: Rollout, times: int) -> Float[Tensor, "m W D"]:
        """Return states of some orbits, from the times of their records on."""
        unit = self.unit * group.steps // self.rollout.steps
        apart = unit if self.rollout.flow.discrete or self.unit > 1 else max(1, times * group.steps // RECORD)
        count = min(RECORD, times * group.steps // apart)
        one = replace(group, dt=group.dt * apart)
        begin = float(self.spent[rows[0]]) / one.dt if len(rows) else 0.0
        return one.path(self.start[rows], begin, count, parts=apart)[1:].transpose(0, 1)

    def _left(self, rows: Tensor, z: Float[Tensor, "m D"]) -> Bool[Tensor, " m"]:
        """Return which orbits have escaped."""
        return self.bounds.among(rows, self.resolution.scale[rows]).left(z, torch.arange(len(rows), device=z.device))
