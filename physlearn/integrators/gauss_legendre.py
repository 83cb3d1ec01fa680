"""Gauss-Legendre collocation: the implicit midpoint rule and its higher-order relatives."""

from __future__ import annotations

from math import sqrt
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.integrators.implicit import Implicit


class GaussLegendre(Implicit):
    r"""Base class of methods that collocate at the s Gauss points of each step.

    .. math:: k_i = f\bigl(t + c_i \Delta t,\; z + \Delta t \sum_j a_{ij} k_j\bigr), \qquad z' = z + \Delta t \sum_i b_i k_i

    They have order 2s, are symmetric, and are symplectic for any Hamiltonian, such as a learned H(q, p), which is not
    separable. If H = T(p) + V(q), leapfrog and Yoshida's methods are cheaper.

    References
    ----------
    Hairer, Lubich, Wanner, Geometric Numerical Integration, chapters II and VI.
    """

    symplectic = True
    symmetric = True
    a: ClassVar[tuple[tuple[float, ...], ...]]
    b: ClassVar[tuple[float, ...]]
    c: ClassVar[tuple[float, ...]]

    def attempt(
        self, t: Tensor, z: Float[Tensor, "*batch D"], dt: float
    ) -> tuple[Float[Tensor, "*batch D"], Bool[Tensor, "*batch"]]:
        """Try one step, by solving for the concatenated increments x_i = dt k_i of the s stages."""
        times = [t + c * dt for c in self.c]

        def increments(x: Tensor, z: Tensor) -> Tensor:
            parts = x.chunk(len(times), dim=-1)
            rates = [self.flow.field(time, _weighted(z, row, parts)) for time, row in zip(times, self.a, strict=True)]
            return dt * torch.cat(rates, dim=-1)

        first = dt * self.flow.field(t, z)
        x, done = self.solved(increments, torch.cat([first] * len(times), dim=-1), z)
        return _weighted(z, self.b, x.chunk(len(times), dim=-1)), done


def _weighted(z: Tensor, weights: tuple[float, ...], parts: tuple[Tensor, ...]) -> Tensor:
    """Return z plus the weighted parts; for few parts a loop is faster than a matrix product."""
    for weight, part in zip(weights, parts, strict=True):
        z = torch.add(z, part, alpha=weight)
    return z


class ImplicitMidpoint(GaussLegendre):
    r"""The implicit midpoint rule, the Gauss-Legendre method with one stage and order 2.

    .. math:: z' = z + \Delta t\, f\bigl(t + \tfrac12 \Delta t,\; \tfrac12 (z + z')\bigr)

    Notes
    -----
    Use it for a Hamiltonian that is not separable, such as a trained ``hnn``, when moderate accuracy is enough.
    ``gauss-legendre-4`` is more accurate at about twice the cost per step.
    """

    name = "implicit-midpoint"
    order = 2
    a = ((1 / 2,),)
    b = (1.0,)
    c = (1 / 2,)


class GaussLegendre4(GaussLegendre):
    r"""The Gauss-Legendre method with two stages and order 4.

    .. math::
        k_i = f\bigl(t + c_i \Delta t,\; z + \Delta t \sum_j a_{ij} k_j\bigr), \qquad z' = z + \Delta t \sum_i b_i k_i

    .. math:: c = \tfrac12 \mp \tfrac{\sqrt 3}6, \quad b = \tfrac12, \tfrac12

    Notes
    -----
    Use it for any Hamiltonian that is not separable, such as a trained ``hnn``, and for stiff vector fields. It is the default
    choice there.
    """

    name = "gauss-legendre-4"
    order = 4
    a = ((1 / 4, 1 / 4 - sqrt(3) / 6), (1 / 4 + sqrt(3) / 6, 1 / 4))
    b = (1 / 2, 1 / 2)
    c = (1 / 2 - sqrt(3) / 6, 1 / 2 + sqrt(3) / 6)


class GaussLegendre6(GaussLegendre):
    r"""The Gauss-Legendre method with three stages and order 6.

    .. math::
        k_i = f\bigl(t + c_i \Delta t,\; z + \Delta t \sum_j a_{ij} k_j\bigr), \qquad z' = z + \Delta t \sum_i b_i k_i

    .. math:: c = \tfrac12 - \tfrac{\sqrt{15}}{10}, \tfrac12, \tfrac12 + \tfrac{\sqrt{15}}{10}, \quad
        b = \tfrac5{18}, \tfrac49, \tfrac5{18}

    Notes
    -----
    Use it like ``gauss-legendre-4`` where the error of the integration must be far below that of the model, for example to
    judge a polynomial model that is exact to rounding.
    """

    name = "gauss-legendre-6"
    order = 6
    a = (
        (5 / 36, 2 / 9 - sqrt(15) / 15, 5 / 36 - sqrt(15) / 30),
        (5 / 36 + sqrt(15) / 24, 2 / 9, 5 / 36 - sqrt(15) / 24),
        (5 / 36 + sqrt(15) / 30, 2 / 9 + sqrt(15) / 15, 5 / 36),
    )
    b = (5 / 18, 4 / 9, 5 / 18)
    c = (1 / 2 - sqrt(15) / 10, 1 / 2, 1 / 2 + sqrt(15) / 10)
