"""Cluster activation functions by their shape, up to the transformations that the weights of a network can make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from torch import Tensor

from systems import InputError
from systems.floats import takes_arrays

WIDTH = 3.0  # standard deviation of the Gaussian weight of the pre-activations
ALIKE = 0.1  # distance below which clusters are merged


@takes_arrays("curves", "a")
def curve_distances(
    curves: Float[Tensor, "n points"], a: Float[Tensor, " points"], width: float = WIDTH
) -> Float[Tensor, "n n"]:
    r"""Return the distances between curves, from 0 for the same shape to 1 for uncorrelated curves.

    .. math:: d_{ij} = 1 - \max_{\pm} \bigl|\operatorname{corr}_w\bigl(\sigma_i(a), \sigma_j(\pm a)\bigr)\bigr|

    The next layer multiplies an activation by weights and adds a bias, and the weights of a layer may have any sign. Therefore
    the distance does not depend on scale, offset or the signs of both axes. The distance of a constant from any other curve
    is 1.

    Parameters
    ----------
    curves : shape ``(n, points)``
        Values of the curves on the grid.
    a : shape ``(points,)``
        Grid of pre-activations, symmetric about zero.
    width
        Standard deviation of the Gaussian weight of the pre-activations in the correlation, 3 by default.

    Returns
    -------
    Tensor, shape ``(n, n)``
        Distances.

    Raises
    ------
    InputError
        If the grid is not symmetric or does not fit the curves, or the width is not positive.

    Examples
    --------
    >>> a = torch.linspace(-10, 10, 101)
    >>> d = curve_distances(torch.stack([a.tanh(), 3 - 2 * a.tanh(), a.sin(), a.cos()]), a)
    >>> print(d.round(decimals=2)[0])
    tensor([0.0000, 0.0000, 0.6200, 1.0000])
    """
    x, weight = _standardized(curves, a, width)
    alike = torch.maximum(*(((x * weight) @ other.T).abs() for other in (x, x.flip(-1))))
    distances = (1 - alike).clamp(0, 1)
    return (distances - distances.diagonal().diag()).to(curves.dtype)


@takes_arrays("curves", "a")
def aligned(
    curves: Float[Tensor, "n points"], a: Float[Tensor, " points"], to: int = 0, width: float = WIDTH
) -> Float[Tensor, "n points"]:
    """Return standardised curves, each mirrored along the axes so that it is most similar to one of them.

    Parameters
    ----------
    curves : shape ``(n, points)``
        Values of the curves on the grid.
    a : shape ``(points,)``
        Grid of pre-activations, symmetric about zero.
    to
        Index of the curve to which the others are aligned.
    width
        Standard deviation of the Gaussian weight of the pre-activations, 3 by default.

    Returns
    -------
    Tensor, shape ``(n, points)``
        Curves with weighted mean 0 and standard deviation 1.

    Raises
    ------
    InputError
        If the grid is not symmetric or does not fit the curves, or the width is not positive.
    """
    x, weight = _standardized(curves, a, width)
    forward, mirrored = ((other * weight) @ x[to] for other in (x, x.flip(-1)))
    turned = torch.where((mirrored.abs() > forward.abs())[:, None], x.flip(-1), x)
    sign = torch.where(forward.abs() >= mirrored.abs(), forward, mirrored).sign()
    return (turned * torch.where(sign == 0, 1.0, sign)[:, None]).to(curves.dtype)


@takes_arrays("distances")
def cluster_curves(distances: Float[Tensor, "n n"], alike: float = ALIKE) -> Int[np.ndarray, " n"]:
    """Assign curves to clusters by average linkage.

    Parameters
    ----------
    distances : shape ``(n, n)``
        Distances between the curves, from `curve_distances`.
    alike
        Mean distance below which clusters are merged, 0.1 by default.

    Returns
    -------
    ndarray of int, shape ``(n,)``
        Cluster of each curve; cluster 0 is the largest.

    Raises
    ------
    InputError
        If the distances are not a square matrix of at least two curves.

    References
    ----------
    Sokal and Michener, Univ. Kansas Sci. Bull. 38, 1409 (1958); the implementation is SciPy's.
    """
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or len(distances) < 2:
        raise InputError(f"distances must be (n, n) for at least two curves, not {tuple(distances.shape)}")
    d = distances.detach().cpu().double().numpy()
    tree = linkage(squareform((d + d.T) / 2, checks=False), method="average")
    labels = fcluster(tree, alike, criterion="distance")
    values, counts = np.unique(labels, return_counts=True)
    rank = {value: k for k, value in enumerate(values[np.argsort(-counts, kind="stable")])}
    return np.array([rank[label] for label in labels])


@takes_arrays("distances")
def agreement_within(distances: Float[Tensor, "n n"], groups: Sequence[object]) -> float:
    """Return the mean distance within groups divided by the mean distance between groups.

    Parameters
    ----------
    distances : shape ``(n, n)``
        Distances between the curves.
    groups
        Group of each curve, of length n.

    Returns
    -------
    float
        Ratio of the mean distances, below 1 if curves are more similar within groups than between them.
    """
    same = torch.tensor([[one == other for other in groups] for one in groups])
    others = ~torch.eye(len(groups), dtype=torch.bool)
    return float(distances[same & others].mean() / distances[~same].mean())


def _standardized(
    curves: Float[Tensor, "n points"], a: Float[Tensor, " points"], width: float
) -> tuple[Float[Tensor, "n points"], Float[Tensor, " points"]]:
    """Return curves with weighted mean 0 and standard deviation 1 (constants are 0), and the weight of each point."""
    if curves.ndim != 2 or curves.shape[-1] != len(a):
        raise InputError(
            f"curves must be (n, points) on a grid with as many points, not {tuple(curves.shape)} and {tuple(a.shape)}"
        )
    if not torch.allclose(a, -a.flip(0), atol=1e-5 * float(a.abs().max())) or not width > 0:
        raise InputError(
            "comparing curves with their mirror images requires a grid that is symmetric about zero, and a positive width"
        )
    weight = (-(a.double() / width).square() / 2).exp()
    weight = weight / weight.sum()
    x = curves.double()
    x = x - (weight * x).sum(-1, keepdim=True)
    size = (weight * x.square()).sum(-1, keepdim=True).sqrt()
    constant = size <= 1e-6 * curves.double().abs().amax(-1, keepdim=True)
    return torch.where(constant, 0.0, x / size.where(~constant, 1.0)), weight
