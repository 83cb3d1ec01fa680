"""The density of eigenvalues, from all of them or from quadratures."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError
from systems.floats import takes_arrays

WIDTH = 0.01  # of the kernel, in units of the range of the eigenvalues
MARGIN = 5  # kernel widths that the grid reaches beyond them
PER_WIDTH = 4  # points: enough to integrate a Gaussian to many digits


class Bounded(NamedTuple):
    """An estimate, and what it lies between."""

    value: float
    low: float
    high: float


class SpectralDensity:
    r"""How the eigenvalues of a symmetric matrix are distributed, smoothed by a Gaussian kernel; its integral is one.

    .. math:: \rho(\lambda)
        = \Bigl\langle \sum_i \frac{w_i}{\sqrt{2\pi}\,s}\, e^{-(\lambda - \theta_i)^2 / 2 s^2} \Bigr\rangle

    nodes, weights: those of each quadrature, the weights of each summing to one. width: the kernel's standard deviation s, by
    default 0.01 of the range of the nodes.

    x, values, error: ``(points,)``, a grid of four points a width, the density there, and its standard error over the
    quadratures (NaN for a single one).

    >>> flat = SpectralDensity.of(torch.linspace(0, 1, 1001), width=0.02)
    >>> middle = (flat.x - 0.5).abs().argmin()
    >>> print(f"{flat.values[middle]:.3f}")
    0.999
    """

    def __init__(self, nodes: Sequence[Tensor], weights: Sequence[Tensor], width: float | None = None) -> None:
        together = torch.cat(list(nodes))
        low, high = float(together.min()), float(together.max())
        width = WIDTH * (high - low or abs(high) or 1.0) if width is None else width
        if not width > 0:
            raise InputError(f"the width of the kernel must be positive, not {width}")
        points = round((high - low) / width * PER_WIDTH) + 2 * MARGIN * PER_WIDTH + 1
        self.nodes, self.weights, self.width = list(nodes), list(weights), width
        self.x: Float[Tensor, " points"] = torch.linspace(
            low - MARGIN * width, high + MARGIN * width, points, dtype=torch.float64
        )
        each = torch.stack([self._smoothed(theta, w) for theta, w in zip(nodes, weights, strict=True)])
        self.values: Float[Tensor, " points"] = each.mean(0)
        self.error: Float[Tensor, " points"] = _standard_error(each)

    @classmethod
    @takes_arrays("eigenvalues")
    def of(cls, eigenvalues: Float[Tensor, " n"], width: float | None = None) -> SpectralDensity:
        """That of eigenvalues that are all known."""
        theta = eigenvalues.detach().cpu().double()
        return cls([theta], [torch.full_like(theta, 1 / len(theta))], width)

    def smoothed(self, width: float) -> SpectralDensity:
        """The same by a kernel of another width."""
        return SpectralDensity(self.nodes, self.weights, width)

    def moment(self, k: int) -> tuple[float, float]:
        """The mean of the k-th power of the eigenvalues, tr H^k / n, and its standard error."""
        each = torch.stack([(w * theta**k).sum() for theta, w in zip(self.nodes, self.weights, strict=True)])
        return float(each.mean()), float(_standard_error(each))

    def near_zero(self, threshold: float = 1e-3, scale: float | None = None) -> Bounded:
        """The fraction of the eigenvalues within ``threshold * scale`` of zero, with bounds; scale as of `near_zero`.

        The weights of the nodes there. The bounds are those within which the fraction lies for the vectors that the
        quadratures began with (the inequalities of Chebyshev, Markov and Stieltjes): they are far apart where the threshold
        is finer than the nodes lie, and more steps bring them together.
        Source: Golub and Meurant, Matrices, Moments and Quadrature with Applications (2010), chapter 6.
        """
        scale = float(torch.cat(self.nodes).abs().max()) if scale is None else scale
        rows = []
        for theta, w in zip(self.nodes, self.weights, strict=True):
            inside = within(theta, threshold, scale)
            first, last = int((theta < -threshold * scale).sum()), int((theta < -threshold * scale).sum() + inside.sum())
            high = w[max(first - 1, 0) : last + 1].sum()
            rows.append((float(w[inside].sum()), float(w[first + 1 : max(last - 1, 0)].sum()), float(high)))
        value, low, high = (sum(column) / len(rows) for column in zip(*rows, strict=True))
        return Bounded(value, low, high)

    def _smoothed(self, theta: Tensor, w: Tensor) -> Float[Tensor, " points"]:
        kernel = (-(((self.x[:, None] - theta) / self.width).square()) / 2).exp() / (sqrt(2 * pi) * self.width)
        return kernel @ w


@takes_arrays("eigenvalues")
def near_zero(eigenvalues: Float[Tensor, " n"], threshold: float = 1e-3, scale: float | None = None) -> float:
    """The fraction of the eigenvalues within ``threshold * scale`` of zero.

    scale: by default the largest size of an eigenvalue, which makes the fraction one of the shape of the spectrum. To say
    which of two minima is the flatter, give the same scale to both: a single large eigenvalue makes all others near zero.

    Raises InputError for a threshold or a scale that is not positive.

    >>> near_zero(torch.tensor([-1e-4, 1e-2, 1.0, 1e-5]))
    0.5
    """
    return float(within(eigenvalues, threshold, scale).double().mean())


def within(eigenvalues: Tensor, threshold: float, scale: float | None) -> Tensor:
    """Which eigenvalues are near zero."""
    if not threshold > 0 or not (scale is None or scale > 0):
        raise InputError(f"the threshold and its scale must be positive, not {threshold} and {scale}")
    sizes = eigenvalues.abs()
    return sizes <= threshold * (sizes.max() if scale is None else scale)


def _standard_error(each: Float[Tensor, "quadratures ..."]) -> Float[Tensor, "..."]:
    if len(each) < 2:
        return torch.full_like(each[0], torch.nan)
    return each.std(0) / sqrt(len(each))
