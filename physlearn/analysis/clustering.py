"""Which activation functions are alike, whatever a network's weights make of them."""

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

WIDTH = 3.0  # standard deviation of the pre-activations that count
ALIKE = 0.1  # the distance below which clusters are joined


@takes_arrays("curves", "a")
def curve_distances(
    curves: Float[Tensor, "n points"], a: Float[Tensor, " points"], width: float = WIDTH
) -> Float[Tensor, "n n"]:
    r"""The distance of each curve from each other, from 0 for the same shape to 1 for what have nothing in common.

    .. math:: d_{ij} = 1 - \max_{\pm} \bigl|\operatorname{corr}_w\bigl(\sigma_i(a), \sigma_j(\pm a)\bigr)\bigr|

    The next layer multiplies an activation by weights and adds a bias, and a layer's weights may have any sign: scale, offset
    and the signs of both axes are no difference. The correlation is over pre-activations with a Gaussian weight of standard
    deviation ``width``. A constant has nothing in common with anything.

    curves: on the grid a, which is symmetric around zero. Raises InputError for another grid, or a width that is not positive.

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
    """The curves with mean zero and standard deviation one, each turned so that it is most like one of them, as far as a
    network's weights could turn it.

    to: which one. Otherwise as `curve_distances`.
    """
    x, weight = _standardized(curves, a, width)
    forward, mirrored = ((other * weight) @ x[to] for other in (x, x.flip(-1)))
    turned = torch.where((mirrored.abs() > forward.abs())[:, None], x.flip(-1), x)
    sign = torch.where(forward.abs() >= mirrored.abs(), forward, mirrored).sign()
    return (turned * torch.where(sign == 0, 1.0, sign)[:, None]).to(curves.dtype)


@takes_arrays("distances")
def cluster_curves(distances: Float[Tensor, "n n"], alike: float = ALIKE) -> Int[np.ndarray, " n"]:
    """Which cluster each curve is in, the largest being 0: those whose mean distance is below ``alike`` are joined.

    Source: average linkage, Sokal and Michener, Univ. Kansas Sci. Bull. 38, 1409 (1958), by SciPy.

    Raises InputError for distances that are not of at least two curves.
    """
    if distances.ndim != 2 or distances.shape[0] != distances.shape[1] or len(distances) < 2:
        raise InputError(f"clusters need the distances of at least two curves (n, n), not {tuple(distances.shape)}")
    d = distances.detach().cpu().double().numpy()
    tree = linkage(squareform((d + d.T) / 2, checks=False), method="average")
    labels = fcluster(tree, alike, criterion="distance")
    values, counts = np.unique(labels, return_counts=True)
    rank = {value: k for k, value in enumerate(values[np.argsort(-counts, kind="stable")])}
    return np.array([rank[label] for label in labels])


@takes_arrays("distances")
def agreement_within(distances: Float[Tensor, "n n"], groups: Sequence[object]) -> float:
    """How much nearer curves of a group are to each other than to those of other groups: the ratio of the mean distances."""
    same = torch.tensor([[one == other for other in groups] for one in groups])
    others = ~torch.eye(len(groups), dtype=torch.bool)
    return float(distances[same & others].mean() / distances[~same].mean())


def _standardized(
    curves: Float[Tensor, "n points"], a: Float[Tensor, " points"], width: float
) -> tuple[Float[Tensor, "n points"], Float[Tensor, " points"]]:
    """Curves of mean zero and standard deviation one by the weight, which is given too; constants are zero."""
    if curves.ndim != 2 or curves.shape[-1] != len(a):
        raise InputError(f"curves are (n, points) on a grid of as many points, not {tuple(curves.shape)} and {tuple(a.shape)}")
    if not torch.allclose(a, -a.flip(0), atol=1e-5 * float(a.abs().max())) or not width > 0:
        raise InputError("curves are compared with their mirror images: on a grid around zero, by a positive width")
    weight = (-(a.double() / width).square() / 2).exp()
    weight = weight / weight.sum()
    x = curves.double()
    x = x - (weight * x).sum(-1, keepdim=True)
    size = (weight * x.square()).sum(-1, keepdim=True).sqrt()
    constant = size <= 1e-6 * curves.double().abs().amax(-1, keepdim=True)
    return torch.where(constant, 0.0, x / size.where(~constant, 1.0)), weight
