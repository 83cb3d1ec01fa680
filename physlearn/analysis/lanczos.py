"""Lanczos' iteration: a symmetric operator as a small tridiagonal matrix."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

ROUNDING = 10  # times the root of n times the precision: less of the largest A v is no new direction


def lanczos(
    product: Callable[[Tensor], Tensor], start: Float[Tensor, " n"], steps: int
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    r"""The nodes and weights of the Gauss quadrature of a symmetric matrix A at a unit vector v.

    .. math:: v^T f(A)\,v \approx \sum_i w_i\, f(\theta_i)

    It is exact for polynomials f of a degree below 2 m. product: v to A v. Nodes are in ascending order, in float64, on the
    CPU; weights are not negative and sum to one. There are ``steps`` of them, or fewer where the vectors A^k v span no more
    dimensions: then it is exact for every f. Each new vector is made orthogonal to all before, twice, without which copies
    of the extreme eigenvalues would turn up.

    Source: Golub and Meurant, Matrices, Moments and Quadrature with Applications (2010), chapters 4 and 6.
    """
    steps = min(steps, len(start))
    basis = torch.zeros(steps, len(start), dtype=start.dtype, device=start.device)
    basis[0] = start
    alpha, beta = [], []
    largest, tolerance = 0.0, ROUNDING * sqrt(len(start)) * torch.finfo(start.dtype).eps
    for i in range(steps):
        w = product(basis[i])
        alpha.append(float(torch.dot(w, basis[i])))
        largest = max(largest, float(w.norm()))
        for _ in range(2):
            w = w - basis[: i + 1].T @ (basis[: i + 1] @ w)
        rest = float(w.norm())
        if i + 1 == steps or rest <= tolerance * largest:
            break
        basis[i + 1] = w / rest
        beta.append(rest)
    T = torch.diag(torch.tensor(alpha, dtype=torch.float64))
    if beta:
        off = torch.diag(torch.tensor(beta, dtype=torch.float64), 1)
        T = T + off + off.T
    nodes, vectors = torch.linalg.eigh(T)
    return nodes, vectors[0].square()
