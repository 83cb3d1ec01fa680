"""A drawn potential landscape: a plane with many valleys, sharp ones and flat ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import log, pi

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from systems import InputError
from systems.floats import takes_arrays

SIZE = 2.0  # of the disc of wells
WIDTHS = (0.12, 0.5)
DEPTHS = (0.5, 1.0)
APART = 1.5  # sums of their widths
TRIES = 2_000  # places for a well
MAP = 201  # points of the map of valleys along each axis
PACES = 300  # of the descent that finds them
NEWTON = 40  # steps
SAME = 1e-6  # units of length: minima as close are one


@dataclass(frozen=True, eq=False)
class Landscape:
    r"""A bowl with Gaussian wells in the plane.

    .. math:: V(\theta) = V_0 + \tfrac12 k\,\theta^2 - \sum_i a_i \exp\bigl(-(\theta - c_i)^2 / 2 w_i^2\bigr)

    centers: ``(m, 2)``; depths, widths: ``(m,)``; stiffness: k; level: V_0, which is to keep V positive as a loss is. All is
    dimensionless. Functions take theta ``(..., 2)``.
    """

    centers: Float[Tensor, "m 2"]
    depths: Float[Tensor, " m"]
    widths: Float[Tensor, " m"]
    stiffness: float
    level: float

    @classmethod
    def draw(cls, wells: int = 10, *, lowest: float = 0.1, seed: int = 0) -> Landscape:
        """Wells spread over a disc of radius 2, with depths uniform in (0.5, 1) and widths log-uniform in (0.12, 0.5).

        Each centre is drawn until it is 1.5 times the sum of the two widths away from all others, the widest first, so that
        the wells stay minima of their own. The bowl rises by as much as the deepest well from the middle to the disc's edge.
        lowest: V at the deepest minimum.
        Raises InputError for no wells, more than there is room for, or a lowest V that is not positive.
        """
        if wells < 1 or not lowest > 0:
            raise InputError(f"a landscape has at least 1 well and a positive lowest V, not {wells} and {lowest}")
        generator = torch.Generator().manual_seed(seed)
        u = torch.rand(2, wells, generator=generator, dtype=torch.float64)
        widths = (WIDTHS[0] * (log(WIDTHS[1] / WIDTHS[0]) * u[0]).exp()).sort(descending=True).values
        drawn = cls(
            centers=_spread(widths, generator),
            depths=DEPTHS[0] + (DEPTHS[1] - DEPTHS[0]) * u[1],
            widths=widths,
            stiffness=2 * DEPTHS[1] / SIZE**2,
            level=0.0,
        )
        return replace(drawn, level=lowest - float(drawn.value(drawn.minima).min()))

    @takes_arrays("theta")
    def value(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """V."""
        return self.level + self.stiffness / 2 * theta.square().sum(-1) - self._wells(theta)[1].sum(-1)

    @takes_arrays("theta")
    def gradient(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Of V."""
        d, well = self._wells(theta)
        return self.stiffness * theta + ((well / self.widths.square()).unsqueeze(-1) * d).sum(-2)

    @takes_arrays("theta")
    def hessian(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2 2"]:
        """Of V."""
        d, well = self._wells(theta)
        unit = torch.eye(2, dtype=theta.dtype, device=theta.device)
        w2 = self.widths.square()[:, None, None]
        outer = d.unsqueeze(-1) * d.unsqueeze(-2)
        return self.stiffness * unit + ((well[..., None, None] / w2) * (unit - outer / w2)).sum(-3)

    def _wells(self, theta: Float[Tensor, "*batch 2"]) -> tuple[Float[Tensor, "*batch m 2"], Float[Tensor, "*batch m"]]:
        """The distance from each centre, and how deep each well is here."""
        d = theta.unsqueeze(-2) - self.centers
        return d, self.depths * (-d.square().sum(-1) / (2 * self.widths.square())).exp()

    @cached_property
    def reach(self) -> float:
        """Of the square around the origin that holds every well."""
        return float((self.centers.abs() + 2 * self.widths[:, None]).max())

    @cached_property
    def minima(self) -> Float[Tensor, "n 2"]:
        """All minima within the square, the lowest first: where paths of steepest descent from all over it end."""
        ends = self._descend(self._grid(MAP // 4))
        for _ in range(NEWTON):
            H, g = self.hessian(ends), self.gradient(ends)
            values, vectors = torch.linalg.eigh(H)
            ends = ends - (vectors @ ((vectors.mT @ g.unsqueeze(-1)) / values.abs().unsqueeze(-1))).squeeze(-1)
        found: list[Tensor] = []
        for end in ends[self.value(ends).argsort()]:
            there = torch.linalg.eigvalsh(self.hessian(end))[0] > 0 and self.gradient(end).norm() < SAME
            if there and all((end - other).norm() > SAME for other in found):
                found.append(end)
        return torch.stack(found)

    @takes_arrays("theta")
    def valley(self, theta: Float[Tensor, "*batch 2"]) -> Int[Tensor, "*batch"]:
        """The number of the minimum that steepest descent leads to from here, to within 1 % of the reach."""
        spacing = 2 * self.reach / (MAP - 1)
        i, j = ((theta + self.reach) / spacing).nan_to_num(0).round().long().clamp(0, MAP - 1).unbind(-1)
        return self._map[i, j]

    @takes_arrays("theta")
    def valley_hessian(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2 2"]:
        """The Hessian at the minimum of the valley that theta is in, as the noise of a descent has it."""
        return self.hessian(self.minima)[self.valley(theta)]

    @takes_arrays("theta")
    def census(self, theta: Float[Tensor, "n 2"]) -> pd.DataFrame:
        """A row a minimum, the lowest first: x, y, V, sharpness (the trace of the Hessian), and the share of states there."""
        share = torch.bincount(self.valley(theta), minlength=len(self.minima)) / len(theta)
        sharpness = self.hessian(self.minima).diagonal(dim1=-2, dim2=-1).sum(-1)
        x, y = self.minima.unbind(-1)
        columns = {"x": x, "y": y, "V": self.value(self.minima), "sharpness": sharpness, "share": share}
        return pd.DataFrame({name: column.numpy() for name, column in columns.items()}).rename_axis("minimum")

    @cached_property
    def _map(self) -> Int[Tensor, "MAP MAP"]:
        """The valley of each point of a grid."""
        ends = self._descend(self._grid(MAP))
        return torch.cdist(ends, self.minima).argmin(-1).view(MAP, MAP)

    def _grid(self, points: int) -> Float[Tensor, "points2 2"]:
        axis = torch.linspace(-self.reach, self.reach, points, dtype=torch.float64)
        return torch.cartesian_prod(axis, axis)

    def _descend(self, theta: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
        """Where steepest descent leads to, nearly: paces of a fixed length, shortened where the slope runs out."""
        pace = self.widths.min() / 5
        steepest = (self.depths / self.widths.square()).max() + self.stiffness
        for _ in range(PACES):
            g = self.gradient(theta)
            theta = theta - g / torch.maximum(g.norm(dim=-1, keepdim=True) / pace, 2 * steepest)
        return theta


def _spread(widths: Float[Tensor, " m"], generator: torch.Generator) -> Float[Tensor, "m 2"]:
    """Centres uniform over the disc, one after the other, away from those before."""
    centers = torch.empty(0, 2, dtype=torch.float64)
    for k, width in enumerate(widths):
        u = torch.rand(2, TRIES, generator=generator, dtype=torch.float64)
        radius, angle = SIZE * u[0].sqrt(), 2 * pi * u[1]
        places = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
        free = (torch.cdist(places, centers) > APART * (width + widths[:k])).all(-1)
        if not free.any():
            raise InputError(f"there is no room for {len(widths)} wells beside each other; take fewer")
        centers = torch.cat([centers, places[free][:1]])
    return centers
