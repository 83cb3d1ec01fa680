"""Record the growth of deviation vectors along orbits, and test whether it is exponential."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SLOTS = 128  # number of stored times per orbit, evenly spaced from the start to the present; at least half are in use
SHORTEST = 8  # fewest stored times in a window
STEADY = 0.25  # least part of the growth in each half of a window: a single jump is not exponential growth
WINDOWS = (1 / 2, 1 / 3, 1 / 4, 1 / 8)  # parts of the time so far: chaos that begins late shows only in the last part
LEAST = 3.0  # a power law t^n grows by n log 2 over half of the time, and n seldom exceeds 2
TURNS = 2  # reversals per part: one oscillation, so that a part contains both the growth and the decay near a saddle
LASTING = 0.4  # part of the growth by which the extremes of a vector must grow; those of an oscillating vector hardly do
LOW, HIGH, REST = 1, 2, 3  # columns after the present logarithm: its extremes since the last stored time, extents and turns


@dataclass
class Growth:
    """Logarithmic lengths of deviation vectors, and the extents and turns of the orbits, at times that are thinned out.

    ``dim`` is the number of coordinates whose extents are stored. The turns are stored after them.
    """

    kept: Float[Tensor, "n slots columns"]
    between: Float[Tensor, "n 2"]  # the extremes since the last stored time
    dim: int
    count: int = 0
    stride: int = 1
    seen: int = 0

    @classmethod
    def of(cls, n: int, dim: int, coordinates: int, device: torch.device) -> Growth:
        """Start an empty record for n orbits, with extents along dim coordinates and turns of all coordinates."""
        kept = torch.zeros(n, SLOTS, REST + dim + coordinates, dtype=torch.float64, device=device)
        return cls(kept, kept.new_tensor([inf, -inf]).repeat(n, 1), dim)

    def add(
        self, rows: Int[Tensor, " m"], grown: Float[Tensor, " m"], extent: Float[Tensor, "m d"], turns: Float[Tensor, "m D"]
    ) -> None:
        """Record the values after one more stretch of time for the orbits that are still followed."""
        self.seen += 1
        low, high = self.between[rows].unbind(-1)
        extremes = torch.stack([low.minimum(grown), high.maximum(grown)], dim=-1)
        self.between[rows] = extremes
        if self.seen % self.stride:
            return
        if self.count == SLOTS:
            self._thin()
            if self.seen % self.stride:
                return
        self.kept[rows, self.count] = torch.cat([grown[:, None], extremes, extent, turns], dim=-1)
        self.between[rows] = self.between.new_tensor([inf, -inf])
        self.count += 1

    def _thin(self) -> None:
        """Keep every other time, and combine the extremes of the two intervals before it."""
        pairs = self.kept.unflatten(1, (SLOTS // 2, 2))
        thinned = pairs[:, :, 1].clone()
        thinned[..., LOW] = pairs[..., LOW].amin(-1)
        thinned[..., HIGH] = pairs[..., HIGH].amax(-1)
        self.kept[:, : SLOTS // 2] = thinned
        self.count //= 2
        self.stride *= 2

    def exponential(self, rows: Int[Tensor, " m"], need: float, along: Bool[Tensor, "m D"]) -> Bool[Tensor, " m"]:
        """Return for which orbits a deviation vector has recently grown faster than any power of time and than the orbit.

        A window consists of two halves and is preceded by a third part, which is as long as a half. In each of the three parts
        the orbit must have returned: one of the coordinates that its deviation vector lies ``along`` has turned `TURNS` times.
        The vector must grow in both halves. From the first part to the last its least and its greatest length must grow as
        well, which they do not if it only grows and shrinks as the orbit passes a saddle. If the window is half of the time,
        the growth must exceed `LEAST`; in shorter windows, in which the vectors of regular orbits oscillate, it must exceed
        ``need``. An orbit that grows as fast as its deviation vectors is leaving and does not count as chaotic.
        """
        found = torch.zeros(len(rows), dtype=torch.bool, device=self.kept.device)
        for window in WINDOWS:
            part = max(SHORTEST, round(self.count * window)) // 2
            if 3 * part >= self.count:
                continue
            least = LEAST if window == max(WINDOWS) else max(need, LEAST)
            halves, lasting = self._since(rows, part)
            returned = (self._turns(rows, part) >= TURNS).masked_fill(~along[:, None], False).any(-1).all(-1)
            steady = (halves.sum(-1) > least) & (halves.amin(-1) > least * STEADY)
            found |= returned & steady & (lasting > least * LASTING)
        return found

    def lately(self, rows: Int[Tensor, " m"]) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
        """Return the growth over the last half of the time: of vectors beyond that of the orbits, and of the orbits."""
        length = self.count // 2
        if length < SHORTEST:
            none = torch.zeros(len(rows), dtype=torch.float64, device=self.kept.device)
            return none, none
        ends = [self.count - 1 - length, self.count - 1]
        extents = self._extents(ends, rows)[:, 0]
        return self.kept[rows][:, ends, 0].diff(dim=1)[:, 0] - extents, extents

    def _since(self, rows: Int[Tensor, " m"], part: int) -> tuple[Float[Tensor, "m 2"], Float[Tensor, " m"]]:
        """Return the growth beyond that of the extents: of the vectors in the last two parts, of their extremes over three."""
        last = self.count - 1
        ends = [last - 3 * part, last - 2 * part, last - part, last]
        extents = self._extents(ends, rows)
        halves = self.kept[rows][:, ends[1:], 0].diff(dim=1) - extents[:, 1:]
        figures = self.kept[rows, self.count - 3 * part : self.count].unflatten(1, (3, part))
        low, high = figures[..., LOW].amin(-1), figures[..., HIGH].amax(-1)
        growth = torch.minimum(low[:, 2] - low[:, 0], high[:, 2] - high[:, 0])
        return halves, growth - torch.maximum(extents[:, :2].sum(-1), extents[:, 1:].sum(-1))

    def _turns(self, rows: Int[Tensor, " m"], part: int) -> Float[Tensor, "m 3 D"]:
        """Return the number of turns of each coordinate in each of the last three parts."""
        last = self.count - 1
        ends = [last - 3 * part, last - 2 * part, last - part, last]
        return self.kept[rows][:, ends, REST + self.dim :].diff(dim=1)

    def _extents(self, ends: list[int], rows: Int[Tensor, " m"]) -> Float[Tensor, "m e"]:
        """Return the growth of the orbits' extents between these times, along the coordinate in which it is largest."""
        growth = self.kept[rows][:, ends, REST : REST + self.dim].diff(dim=1)
        return growth.amax(-1).clamp(min=0) if growth.shape[-1] else growth.sum(-1)
