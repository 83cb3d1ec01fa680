"""The density of eigenvalues, from all eigenvalues or from quadratures."""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError
from systems.floats import takes_arrays

WIDTH = 0.01  # width of the kernel relative to the range of the eigenvalues
MARGIN = 5  # kernel widths by which the grid extends beyond the eigenvalues
PER_WIDTH = 4  # points per kernel width, enough to integrate a Gaussian to many digits


class Bounded(NamedTuple):
    """An estimate with lower and upper bounds.

    Parameters
    ----------
    value
        The estimate.
    low, high
        Its bounds.
    """

    value: float
    low: float
    high: float


class SpectralDensity:
    r"""The density of the eigenvalues of a symmetric matrix, smoothed by a Gaussian kernel and normalised to one.

    .. math:: \rho(\lambda)
        = \Bigl\langle \sum_i \frac{w_i}{\sqrt{2\pi}\,s}\, e^{-(\lambda - \theta_i)^2 / 2 s^2} \Bigr\rangle

    Parameters
    ----------
    nodes, weights
        Nodes and weights of each quadrature; the weights of each sum to one.
    width
        Standard deviation s of the kernel; 0.01 of the range of the nodes by default.

    Attributes
    ----------
    x : Tensor, shape ``(points,)``
        Grid of eigenvalues, with four points per kernel width.
    values : Tensor, shape ``(points,)``
        Density on the grid.
    error : Tensor, shape ``(points,)``
        Standard error of the density over the quadratures; NaN for a single quadrature.

    Raises
    ------
    InputError
        If the width is not positive.

    Examples
    --------
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
        """Return the density of known eigenvalues.

        Parameters
        ----------
        eigenvalues : shape ``(n,)``
            All eigenvalues.
        width
            Standard deviation of the kernel; 0.01 of the range of the eigenvalues by default.

        Returns
        -------
        SpectralDensity
            The density.
        """
        theta = eigenvalues.detach().cpu().double()
        return cls([theta], [torch.full_like(theta, 1 / len(theta))], width)

    def smoothed(self, width: float) -> SpectralDensity:
        """Return the density with another kernel width.

        Parameters
        ----------
        width
            Standard deviation of the kernel.

        Returns
        -------
        SpectralDensity
            The density of the same nodes and weights.
        """
        return SpectralDensity(self.nodes, self.weights, width)

    def moment(self, k: int) -> tuple[float, float]:
        """Return the mean of the k-th power of the eigenvalues, tr H^k / n.

        Parameters
        ----------
        k
            Order of the moment.

        Returns
        -------
        mean, error : float
            The moment and its standard error over the quadratures; NaN for a single quadrature.
        """
        each = torch.stack([(w * theta**k).sum() for theta, w in zip(self.nodes, self.weights, strict=True)])
        return float(each.mean()), float(_standard_error(each))

    def near_zero(self, threshold: float = 1e-3, scale: float | None = None) -> Bounded:
        """Estimate the fraction of the eigenvalues within ``threshold * scale`` of zero, with bounds.

        The estimate is the sum of the weights of the nodes there. The bounds hold for the starting vectors of the quadratures
        (inequalities of Chebyshev, Markov and Stieltjes). They are far apart if the threshold is smaller than the spacing of
        the nodes, and more steps tighten them.

        Parameters
        ----------
        threshold
            Relative threshold.
        scale
            Scale of the threshold, the largest absolute node by default.

        Returns
        -------
        Bounded
            The fraction and its bounds.

        References
        ----------
        Golub and Meurant, Matrices, Moments and Quadrature with Applications (2010), chapter 6.
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
    """Return the fraction of the eigenvalues within ``threshold * scale`` of zero.

    Parameters
    ----------
    eigenvalues : shape ``(n,)``
        Eigenvalues.
    threshold
        Relative threshold.
    scale
        Scale of the threshold. By default it is the largest absolute eigenvalue, so that the fraction depends only on the
        shape of the spectrum. To compare the flatness of two minima, use the same scale for both, because with the default a
        single large eigenvalue makes all others near zero.

    Returns
    -------
    float
        The fraction, from 0 to 1.

    Raises
    ------
    InputError
        If the threshold or the scale is not positive.

    Examples
    --------
    >>> near_zero(torch.tensor([-1e-4, 1e-2, 1.0, 1e-5]))
    0.5
    """
    return float(within(eigenvalues, threshold, scale).double().mean())


def within(eigenvalues: Tensor, threshold: float, scale: float | None) -> Tensor:
    """Return which eigenvalues are near zero."""
    if not threshold > 0 or not (scale is None or scale > 0):
        raise InputError(f"the threshold and its scale must be positive, not {threshold} and {scale}")
    sizes = eigenvalues.abs()
    return sizes <= threshold * (sizes.max() if scale is None else scale)


def _standard_error(each: Float[Tensor, "quadratures ..."]) -> Float[Tensor, "..."]:
    if len(each) < 2:
        return torch.full_like(each[0], torch.nan)
    return each.std(0) / sqrt(len(each))
