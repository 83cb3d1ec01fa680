"""Growth: how the deviations of orbits have grown, and whether that is exponential."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SLOTS = 128  # times that are kept of each orbit, evenly from the start to now: at least half of them are in use
SHORTEST = 8  # times in a window
STEADY = 0.25  # of the growth, which either half of a window has at least: one leap is no exponential growth
WINDOWS = (1 / 2, 1 / 3, 1 / 4, 1 / 8)  # of the time so far: chaos that begins late shows in the last part alone
LEAST = 3.0  # a deviation that grows as a power t^n grows by n log 2 over half of the time, and n is seldom above 2
TURNS = 2  # in each part: an oscillation, so that growth and decay by the passage of a saddle are both in it
LASTING = 0.4  # of the growth, by which the extremes over a part grow: those of a deviation that swings hardly do
LOW, HIGH, REST = 1, 2, 3  # columns: after the logarithm now come its extremes since the time before, extents and turns


@dataclass
class Growth:
    """Logarithms of the deviations' lengths, the orbits' extents, and their turns, at times that thin out.

    dim: the number of coordinates whose extents are kept. The turns come after them.
    """

    kept: Float[Tensor, "n slots columns"]
    between: Float[Tensor, "n 2"]  # the extremes since the last time that was kept
    dim: int
    count: int = 0
    stride: int = 1
    seen: int = 0

    @classmethod
    def of(cls, n: int, dim: int, coordinates: int, device: torch.device) -> Growth:
        """No growth yet, of n orbits with extents along dim coordinates and turns of all coordinates."""
        kept = torch.zeros(n, SLOTS, REST + dim + coordinates, dtype=torch.float64, device=device)
        return cls(kept, kept.new_tensor([inf, -inf]).repeat(n, 1), dim)

    def add(
        self, rows: Int[Tensor, " m"], grown: Float[Tensor, " m"], extent: Float[Tensor, "m d"], turns: Float[Tensor, "m D"]
    ) -> None:
        """Keep the figures after one more stretch of time, of the orbits that are still followed."""
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
        """Keep every other time, with the extremes since the one before it."""
        pairs = self.kept.unflatten(1, (SLOTS // 2, 2))
        thinned = pairs[:, :, 1].clone()
        thinned[..., LOW] = pairs[..., LOW].amin(-1)
        thinned[..., HIGH] = pairs[..., HIGH].amax(-1)
        self.kept[:, : SLOTS // 2] = thinned
        self.count //= 2
        self.stride *= 2

    def exponential(self, rows: Int[Tensor, " m"], need: float, along: Bool[Tensor, "m D"]) -> Bool[Tensor, " m"]:
        """Which orbits' deviations have grown as no power of the time does within a last part of it, and beyond the orbit.

        A window is two halves, with a third part before it. In each of the three the orbit has come back: one of the
        coordinates that its deviation lies ``along`` has turned `TURNS` times. Deviations grow in both halves. From the first
        part to the last, their least and their greatest length grow, too, since those of a deviation that grows and shrinks
        as the orbit passes a saddle do not. Over half of the time that is growth by `LEAST`; over less, where deviations
        swing as a regular orbit turns, it is growth by ``need``. An orbit that itself grows as its deviations do leaves: that
        is no chaos.
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
        """By how much deviations have grown over the last half of the time, beyond the orbits themselves, and these."""
        length = self.count // 2
        if length < SHORTEST:
            none = torch.zeros(len(rows), dtype=torch.float64, device=self.kept.device)
            return none, none
        ends = [self.count - 1 - length, self.count - 1]
        extents = self._extents(ends, rows)[:, 0]
        return self.kept[rows][:, ends, 0].diff(dim=1)[:, 0] - extents, extents

    def _since(self, rows: Int[Tensor, " m"], part: int) -> tuple[Float[Tensor, "m 2"], Float[Tensor, " m"]]:
        """The growth of deviations beyond that of extents in the last two parts, and of their extremes over three parts."""
        last = self.count - 1
        ends = [last - 3 * part, last - 2 * part, last - part, last]
        extents = self._extents(ends, rows)
        halves = self.kept[rows][:, ends[1:], 0].diff(dim=1) - extents[:, 1:]
        figures = self.kept[rows, self.count - 3 * part : self.count].unflatten(1, (3, part))
        low, high = figures[..., LOW].amin(-1), figures[..., HIGH].amax(-1)
        growth = torch.minimum(low[:, 2] - low[:, 0], high[:, 2] - high[:, 0])
        return halves, growth - torch.maximum(extents[:, :2].sum(-1), extents[:, 1:].sum(-1))

    def _turns(self, rows: Int[Tensor, " m"], part: int) -> Float[Tensor, "m 3 D"]:
        """The turns of each coordinate in each of the last three parts."""
        last = self.count - 1
        ends = [last - 3 * part, last - 2 * part, last - part, last]
        return self.kept[rows][:, ends, REST + self.dim :].diff(dim=1)

    def _extents(self, ends: list[int], rows: Int[Tensor, " m"]) -> Float[Tensor, "m e"]:
        """The growth of the orbits' extents from each of these times to the next, along the coordinate where it is largest."""
        growth = self.kept[rows][:, ends, REST : REST + self.dim].diff(dim=1)
        return growth.amax(-1).clamp(min=0) if growth.shape[-1] else growth.sum(-1)
