"""Growth: how the deviations of orbits have grown, and whether that is exponential."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SLOTS = 128  # times that are kept of each orbit, evenly from the start to now: at least half of them are in use
SHORTEST = 8  # times in a window
STEADY = 0.25  # of the growth, which either half of a window has at least: one leap is no exponential growth
WINDOWS = (1 / 2, 1 / 4, 1 / 8)  # of the time so far: chaos that begins late shows in the last part alone
LEAST = 3.0  # a deviation that grows as a power t^n grows by n log 2 over half of the time, and n is seldom above 2


@dataclass
class Growth:
    """Logarithms of the deviations' lengths, and of the orbits' extents along each coordinate, at times that thin out."""

    kept: Float[Tensor, "n slots 1+d"]
    count: int = 0
    stride: int = 1
    seen: int = 0

    @classmethod
    def of(cls, n: int, dim: int, device: torch.device) -> Growth:
        """No growth yet, of n orbits with extents along dim coordinates."""
        return cls(torch.zeros(n, SLOTS, 1 + dim, dtype=torch.float64, device=device))

    def add(self, rows: Int[Tensor, " m"], grown: Float[Tensor, " m"], extent: Float[Tensor, "m d"]) -> None:
        """Keep the logarithms of lengths and extents after one more stretch of time, of the orbits that are still followed."""
        self.seen += 1
        if self.seen % self.stride:
            return
        if self.count == SLOTS:
            self.kept[:, : SLOTS // 2] = self.kept[:, 1::2].clone()
            self.count //= 2
            self.stride *= 2
            if self.seen % self.stride:
                return
        self.kept[rows, self.count] = torch.cat([grown[:, None], extent], dim=-1)
        self.count += 1

    def exponential(self, rows: Int[Tensor, " m"], need: float) -> Bool[Tensor, " m"]:
        """Which orbits' deviations have grown as no power of the time does within a last part of it, and beyond the orbit.

        Within half of the time that is growth by `LEAST`; within less, where deviations swing as a regular orbit turns, it is
        growth by ``need``. Either has to be steady. An orbit that itself grows as its deviations do leaves: that is no chaos.
        """
        found = torch.zeros(len(rows), dtype=torch.bool, device=self.kept.device)
        for window in WINDOWS:
            length = max(SHORTEST, round(self.count * window))
            if length >= self.count:
                continue
            least = LEAST if window == max(WINDOWS) else max(need, LEAST)
            halves = self._since(rows, length)
            found |= (halves.sum(-1) > least) & (halves.amin(-1) > least * STEADY)
        return found

    def lately(self, rows: Int[Tensor, " m"]) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
        """By how much deviations have grown over the last half of the time, beyond the orbits themselves, and these."""
        length = self.count // 2
        if length < SHORTEST:
            none = torch.zeros(len(rows), dtype=torch.float64, device=self.kept.device)
            return none, none
        return self._since(rows, length).sum(-1), self._extents([self.count - 1 - length, self.count - 1], rows)[:, 0]

    def _since(self, rows: Int[Tensor, " m"], length: int) -> Float[Tensor, "m 2"]:
        """The growth of deviations beyond that of extents in either half of the last ``length`` times."""
        last = self.count - 1
        ends = [last - length, last - length // 2, last]
        return self.kept[rows, :, 0][:, ends].diff(dim=1) - self._extents(ends, rows)

    def _extents(self, ends: list[int], rows: Int[Tensor, " m"]) -> Float[Tensor, "m e"]:
        """The growth of the orbits' extents from each of these times to the next, along the coordinate where it is largest."""
        growth = self.kept[rows][:, ends, 1:].diff(dim=1)
        return growth.amax(-1).clamp(min=0) if growth.shape[-1] else growth.sum(-1)
