"""A random potential in the plane, with many sharp and flat valleys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import log, pi

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from systems import InputError
from systems.brief import Brief
from systems.floats import takes_arrays

SIZE = 2.0  # radius of the disc of wells
WIDTHS = (0.12, 0.5)
DEPTHS = (0.5, 1.0)
APART = 1.5  # least distance between two wells, in units of the sum of their widths
TRIES = 2_000  # random positions for each well
MAP = 201  # points of the map of valleys along each axis
PACES = 300  # steps of the descent into the valleys
NEWTON = 40  # Newton steps that refine the minima
SAME = 1e-6  # distance below which two minima are the same


@dataclass(frozen=True, eq=False, repr=False)
class Landscape(Brief):
    r"""A potential in the plane: a parabolic bowl with Gaussian wells.

    .. math:: V(\theta) = V_0 + \tfrac12 k\,\theta^2 - \sum_i a_i \exp\bigl(-(\theta - c_i)^2 / 2 w_i^2\bigr)

    All quantities are dimensionless.

    Parameters
    ----------
    centers : shape ``(m, 2)``
        Centres of the wells, c.
    depths : shape ``(m,)``
        Depths of the wells, a.
    widths : shape ``(m,)``
        Widths of the wells, w.
    stiffness
        Stiffness k of the bowl.
    level
        Level V_0, which should keep V positive, as a loss is.
    """

    centers: Float[Tensor, "m 2"]
    depths: Float[Tensor, " m"]
    widths: Float[Tensor, " m"]
    stiffness: float
    level: float

    @classmethod
    def draw(cls, wells: int = 10, *, lowest: float = 0.1, seed: int = 0) -> Landscape:
        """Draw a random landscape on a disc of radius 2.

        Depths are uniform in (0.5, 1) and widths log-uniform in (0.12, 0.5). Centres are drawn uniformly on the disc, the
        widest well first, until each is 1.5 times the sum of the two widths away from every other, so that the wells remain
        separate minima. From the centre to the edge of the disc, the bowl rises by the largest possible depth of a well.

        Parameters
        ----------
        wells
            Number of wells, 10 by default.
        lowest
            Value of V at the deepest minimum, 0.1 by default.
        seed
            Random seed.

        Returns
        -------
        Landscape
            The landscape.

        Raises
        ------
        InputError
            If there are no wells, there is no room for all of them, or ``lowest`` is not positive.
        """
        if wells < 1 or not lowest > 0:
            raise InputError(f"a landscape needs at least 1 well and a positive lowest V, not {wells} and {lowest}")
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
        """Evaluate the potential.

        Parameters
        ----------
        theta : shape ``(..., 2)``
            Positions.

        Returns
        -------
        Tensor, shape ``(...)``
            Values of V.
        """
        return self.level + self.stiffness / 2 * theta.square().sum(-1) - self._wells(theta).sum(-1)

    @takes_arrays("theta")
    def gradient(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Evaluate the gradient of the potential.

        Parameters
        ----------
        theta : shape ``(..., 2)``
            Positions.

        Returns
        -------
        Tensor, shape ``(..., 2)``
            Gradients of V.
        """
        pull = self._wells(theta) / self.widths.square()
        return (self.stiffness + pull.sum(-1, keepdim=True)) * theta - pull @ self.centers

    @takes_arrays("theta")
    def hessian(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2 2"]:
        """Evaluate the Hessian of the potential.

        Parameters
        ----------
        theta : shape ``(..., 2)``
            Positions.

        Returns
        -------
        Tensor, shape ``(..., 2, 2)``
            Hessians of V.
        """
        d, well = theta.unsqueeze(-2) - self.centers, self._wells(theta)
        unit = torch.eye(2, dtype=theta.dtype, device=theta.device)
        w2 = self.widths.square()[:, None, None]
        outer = d.unsqueeze(-1) * d.unsqueeze(-2)
        return self.stiffness * unit + ((well[..., None, None] / w2) * (unit - outer / w2)).sum(-3)

    def _wells(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch m"]:
        """Return the contribution of each well."""
        x, y = self.centers.unbind(-1)
        squared = (theta[..., :1] - x).square() + (theta[..., 1:] - y).square()
        return self.depths * (-squared / (2 * self.widths.square())).exp()

    @cached_property
    def reach(self) -> float:
        """Half the side of the square about the origin that contains every well."""
        return float((self.centers.abs() + 2 * self.widths[:, None]).max())

    @cached_property
    def minima(self) -> Float[Tensor, "n 2"]:
        """All minima in the square ``(n, 2)``, the lowest first: the ends of steepest descent from a grid of points."""
        ends = self._descend(self._grid(MAP // 4))
        for _ in range(NEWTON):
            H, g = self.hessian(ends), self.gradient(ends)
            values, vectors = torch.linalg.eigh(H)
            ends = ends - (vectors @ ((vectors.mT @ g.unsqueeze(-1)) / values.abs().unsqueeze(-1))).squeeze(-1)
        sound = (torch.linalg.eigvalsh(self.hessian(ends))[:, 0] > 0) & (self.gradient(ends).norm(dim=-1) < SAME)
        ends = ends[sound]
        ends = ends[self.value(ends).argsort()]
        same = torch.cdist(ends, ends, compute_mode="donot_use_mm_for_euclid_dist") <= SAME
        return ends[~same.tril(-1).any(-1)]

    @takes_arrays("theta")
    def valley(self, theta: Float[Tensor, "*batch 2"]) -> Int[Tensor, "*batch"]:
        """Return the minimum to which steepest descent leads from each position.

        Parameters
        ----------
        theta : shape ``(..., 2)``
            Positions, resolved to 1 % of `reach`.

        Returns
        -------
        Tensor of int, shape ``(...)``
            Indices into `minima`.
        """
        spacing = 2 * self.reach / (MAP - 1)
        i, j = ((theta + self.reach) / spacing).nan_to_num(0).round().long().clamp(0, MAP - 1).unbind(-1)
        return self._map[i, j]

    @takes_arrays("theta")
    def valley_hessian(self, theta: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2 2"]:
        """Return the Hessian at the minimum of the valley of each position, for use in `descent_noise`.

        Parameters
        ----------
        theta : shape ``(..., 2)``
            Positions.

        Returns
        -------
        Tensor, shape ``(..., 2, 2)``
            Hessians of V at the minima.
        """
        return self.hessian(self.minima)[self.valley(theta)]

    @takes_arrays("theta")
    def census(self, theta: Float[Tensor, "n 2"]) -> pd.DataFrame:
        """Count the positions in the valley of each minimum.

        Parameters
        ----------
        theta : shape ``(n, 2)``
            Positions.

        Returns
        -------
        DataFrame
            One row per minimum, the lowest first, with the columns ``x``, ``y``, ``V``, ``sharpness`` (trace of the Hessian)
            and ``share`` (fraction of the positions in its valley).
        """
        share = torch.bincount(self.valley(theta), minlength=len(self.minima)) / len(theta)
        sharpness = self.hessian(self.minima).diagonal(dim1=-2, dim2=-1).sum(-1)
        x, y = self.minima.unbind(-1)
        columns = {"x": x, "y": y, "V": self.value(self.minima), "sharpness": sharpness, "share": share}
        return pd.DataFrame({name: column.numpy() for name, column in columns.items()}).rename_axis("minimum")

    @cached_property
    def _map(self) -> Int[Tensor, "MAP MAP"]:
        """The valley of each point of the map."""
        ends = self._descend(self._grid(MAP))
        return torch.cdist(ends, self.minima).argmin(-1).view(MAP, MAP)

    def _grid(self, points: int) -> Float[Tensor, "points2 2"]:
        axis = torch.linspace(-self.reach, self.reach, points, dtype=torch.float64)
        return torch.cartesian_prod(axis, axis)

    def _descend(self, theta: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
        """Return approximate ends of steepest descent, with steps of fixed length that become shorter where V is flat."""
        pace = self.widths.min() / 5
        steepest = (self.depths / self.widths.square()).max() + self.stiffness
        for _ in range(PACES):
            g = self.gradient(theta)
            theta = theta - g / torch.maximum(g.norm(dim=-1, keepdim=True) / pace, 2 * steepest)
        return theta


def _spread(widths: Float[Tensor, " m"], generator: torch.Generator) -> Float[Tensor, "m 2"]:
    """Draw centres uniformly on the disc, one after another, each at a distance from those before."""
    centers = torch.empty(0, 2, dtype=torch.float64)
    for k, width in enumerate(widths):
        u = torch.rand(2, TRIES, generator=generator, dtype=torch.float64)
        radius, angle = SIZE * u[0].sqrt(), 2 * pi * u[1]
        places = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=-1)
        free = (torch.cdist(places, centers) > APART * (width + widths[:k])).all(-1)
        if not free.any():
            raise InputError(f"there is no room for {len(widths)} separate wells on the disc; use fewer")
        centers = torch.cat([centers, places[free][:1]])
    return centers
