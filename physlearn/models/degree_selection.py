"""The degree and the ridge of a polynomial that is linear in its coefficients, by the error on held-out data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

RIDGES = (0.0, 1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2)  # relative to the square of the largest singular value
BLOCKS, HELD = 20, 5  # blocks of successive states, of which each fifth is held out
FEWEST = 20  # states that are enough to hold some of them out
EXACT = 1e-10  # error, relative to the spread of the rates, that is as good as none
SINGULAR = 1e-10  # singular value, relative to the largest, below which a direction is not determined
AT_ONCE = 4096  # states whose equations are made together


@dataclass(frozen=True)
class Triangle:
    """Linear equations X c = y, reduced by orthogonal transformations to as many as there are coefficients.

    Parameters
    ----------
    matrix, right : shapes ``(k, k)`` and ``(k, j)``
        The triangular matrix, of columns of unit length, and the right-hand sides.
    size : shape ``(k,)``
        The lengths of the columns of X.
    rest : shape ``(j,)``
        The smallest sum of squares of each right-hand side.
    rows : int
        Number of equations.
    """

    matrix: Float[Tensor, "k k"]
    right: Float[Tensor, "k j"]
    size: Float[Tensor, " k"]
    rest: Float[Tensor, " j"]
    rows: int

    @classmethod
    def of(cls, design: Callable[[Tensor], Tensor], z: Float[Tensor, "n D"], target: Float[Tensor, "m j"]) -> Triangle:
        """Return the equations for states, of which each gives as many rows of the design as of the target."""
        each = len(target) // len(z)
        k, found = 0, torch.empty(0)
        for i in range(0, len(z), AT_ONCE):
            rows = design(z[i : i + AT_ONCE])
            k = rows.shape[1]
            both = torch.cat([rows, target[each * i : each * (i + AT_ONCE)]], dim=1)
            found = torch.linalg.qr(both if not i else torch.cat([found, both]), mode="r").R
        found = torch.nn.functional.pad(found, (0, 0, 0, max(0, k - len(found))))
        size = found[:k, :k].norm(dim=0)
        size = torch.where(size > SINGULAR * size.max(), size, 1.0)
        rest = found[k:, k:].square().sum(0)
        return cls(found[:k, :k] / size, found[:k, k:], size, rest, len(target))

    def solutions(self, k: int, ridges: tuple[float, ...] = RIDGES) -> tuple[Float[Tensor, "r k j"], int]:
        """Return the first k coefficients without the others, for each ridge, and the rank of their equations."""
        u, s, v = torch.linalg.svd(self.matrix[:k, :k])
        kept = s > SINGULAR * s[0]
        inner = u.T @ self.right[:k]
        filters = [torch.where(kept, s / (s.square() + ridge * s[0].square()), 0.0) for ridge in ridges]
        return torch.stack([v.T @ (one[:, None] * inner) / self.size[:k, None] for one in filters]), int(kept.sum())

    def covariance(self, k: int, ridge: float) -> Float[Tensor, "k k"]:
        """Return the covariance of the first k coefficients for a unit variance of the right-hand sides."""
        _, s, v = torch.linalg.svd(self.matrix[:k, :k])
        kept = s > SINGULAR * s[0]
        half = v.T * torch.where(kept, s / (s.square() + ridge * s[0].square()), 0.0) / self.size[:k, None]
        return half @ half.T


@dataclass(frozen=True)
class Polynomial:
    """The coefficients of a polynomial of the best degree.

    Parameters
    ----------
    degree, ridge
        The degree and the ridge.
    coefficients : shape ``(k, j)``
        The coefficients.
    variance, covariance : shapes ``(j,)`` and ``(k, k)``
        Variance of the residuals of each right-hand side, and covariance of the coefficients for a unit variance.
    rank : int
        Rank of the equations.
    tried : list of int
        The degrees that were compared.
    """

    degree: int
    ridge: float
    coefficients: Float[Tensor, "k j"]
    variance: Float[Tensor, " j"]
    covariance: Float[Tensor, "k k"]
    rank: int
    tried: list[int]


def best_polynomial(
    design: Callable[[Tensor], Tensor],
    z: Float[Tensor, "n D"],
    target: Float[Tensor, "m j"],
    sizes: Mapping[int, int],
    held: tuple[Tensor, Tensor] | None = None,
) -> Polynomial:
    """Fit polynomials of several degrees by least squares, and return the one of the lowest sufficient degree.

    A degree is good enough if no other has a smaller error on held-out states by more than the standard error of the
    difference. Equations of all degrees are triangular together, so that all are solved at once.

    Parameters
    ----------
    design
        Returns the equations of some states, of the highest degree, with those of lower degrees first.
    z, target
        States and right-hand sides.
    sizes
        Number of coefficients of each degree.
    held
        Held-out states and right-hand sides; by default, a fifth of the states, in blocks.
    """
    each, degrees = len(target) // len(z), list(sizes)
    whole = None
    if held is None and len(z) >= FEWEST:
        out = torch.arange(len(z)) * BLOCKS // len(z) % HELD == HELD // 2
        rows = out.repeat_interleave(each)
        held, seen = (z[out], target[rows]), Triangle.of(design, z[~out], target[~rows])
    else:
        seen = whole = Triangle.of(design, z, target)
    degree, ridge = degrees[0], 0.0
    if held is not None:
        degree, ridge = _chosen(seen, design, held, sizes)
    triangle = whole or Triangle.of(design, z, target)
    k = sizes[degree]
    found, rank = triangle.solutions(k, (ridge,))
    left = triangle.rest + (triangle.right - triangle.matrix[:, :k] @ (found[0] * triangle.size[:k, None])).square().sum(0)
    variance = torch.maximum(left / max(1, triangle.rows - k), EXACT**2 * target.square().mean(0))
    return Polynomial(degree, ridge, found[0], variance, triangle.covariance(k, ridge), rank, degrees)


def _chosen(
    seen: Triangle, design: Callable[[Tensor], Tensor], held: tuple[Tensor, Tensor], sizes: Mapping[int, int]
) -> tuple[int, float]:
    z, target = held
    each, blocks = len(target) // len(z), min(BLOCKS, len(z))
    block = (torch.arange(len(z)) * blocks // len(z)).repeat_interleave(each)
    rows = torch.cat([design(z[i : i + AT_ONCE]) for i in range(0, len(z), AT_ONCE)])
    errors, ridges = [], []
    for k in sizes.values():
        found, _ = seen.solutions(k)
        square = torch.stack([(rows[:, :k] @ one - target).square().sum(1) for one in found])
        summed = torch.zeros(len(found), blocks, dtype=square.dtype).index_add(1, block, square)
        best = int(torch.nan_to_num(summed.clamp(min=1e-300).log().sum(1), nan=torch.inf).argmin())
        errors.append(summed[best].numpy())
        ridges.append(RIDGES[best])
    exact = EXACT**2 * float(target.square().mean()) * np.bincount(block.numpy(), minlength=blocks) * target.shape[1]
    place = sufficient(np.stack(errors), exact)
    return list(sizes)[place], ridges[place]


def sufficient(errors: Float[np.ndarray, "d G"], exact: Float[np.ndarray, " G"]) -> int:
    """Return the first row that is as good as the best one.

    Parameters
    ----------
    errors : shape ``(d, G)``
        Sums of squares of each candidate, in G groups of held-out data.
    exact : shape ``(G,)``
        Sums of squares that are as good as zero.

    Returns
    -------
    int
        The first candidate whose mean logarithm is above that of the best by at most one standard error of their difference.
    """
    logarithm = np.log(np.maximum(np.nan_to_num(errors, nan=np.inf, posinf=1e300), np.maximum(exact, 1e-300)))
    best = int(np.argmin(logarithm.sum(1)))
    for place in range(best):
        apart = logarithm[place] - logarithm[best]
        if apart.mean() <= apart.std(ddof=min(1, len(apart) - 1)) / np.sqrt(len(apart)):
            return place
    return best
