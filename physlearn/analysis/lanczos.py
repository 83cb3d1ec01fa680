"""Lanczos iteration, which reduces a symmetric operator to a small tridiagonal matrix."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor

ROUNDING = 10  # times sqrt(n) times the machine precision: a smaller remainder, relative to the largest A v, is rounding error


def lanczos(
    product: Callable[[Tensor], Tensor], start: Float[Tensor, " n"], steps: int
) -> tuple[Float[Tensor, " m"], Float[Tensor, " m"]]:
    r"""Return the nodes and weights of the Gauss quadrature of a symmetric matrix A for a unit vector v.

    .. math:: v^T f(A)\,v \approx \sum_i w_i\, f(\theta_i)

    The quadrature with m nodes is exact for polynomials f of degree below 2 m. ``product`` maps v to A v. The nodes are in
    ascending order, in float64, on the CPU; the weights are not negative and sum to one. There are ``steps`` nodes, or fewer
    if the vectors A^k v span fewer dimensions, in which case the quadrature is exact for every f. Each new vector is
    orthogonalised twice against all earlier ones; otherwise spurious copies of the extreme eigenvalues would appear.

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
