"""A random sparse reservoir: units that are driven by a signal, and keep a fading memory of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse import csr_matrix
from scipy.sparse.linalg import ArpackNoConvergence, eigs
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.memory import Stretch

FORGOTTEN = 1e-8  # difference between two states of a unit, once it no longer knows where it started
SMALL = 300  # units up to which all eigenvalues are computed
SEVERAL = 6  # largest eigenvalues that are computed otherwise, because they come in pairs


class Reservoir(NamedTuple):
    r"""Sparse random connections of N units.

    .. math:: r_n = (1 - \alpha) r_{n-1} + \alpha \, \sigma(W r_{n-1} + W_{in} u_n + b)

    Parameters
    ----------
    weights, sources : shape ``(N, c)``, float64
        Weights of the c connections that lead to each unit, and the units from which they come.
    entrance : shape ``(N, m)``, float64
        Weights of the m signals.
    bias : shape ``(N,)``, float64
        Bias of each unit.
    leak : float
        The rate :math:`\alpha`, from 0 to 1; with 1, a unit forgets its own value.
    """

    weights: Float[Tensor, "N c"]
    sources: Float[Tensor, "N c"]
    entrance: Float[Tensor, "N m"]
    bias: Float[Tensor, " N"]
    leak: float

    @classmethod
    def drawn(
        cls,
        units: int,
        signals: int,
        *,
        connections: int,
        radius: float,
        scale: float,
        bias: float,
        leak: float,
        generator: torch.Generator,
    ) -> Reservoir:
        """Draw connections whose matrix has the given spectral radius.

        Weights are uniform around zero: those of the signals up to ``scale``, the biases up to ``bias``.
        """

        def uniform(*shape: int) -> Tensor:
            return 2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1

        connections = min(connections, units)
        sources = torch.rand(units, units, generator=generator).argsort(-1)[:, :connections].double()
        plain = cls(uniform(units, connections), sources, scale * uniform(units, signals), bias * uniform(units), leak)
        largest = spectral_radius(plain.matrix)
        return plain._replace(weights=plain.weights * (radius / largest if largest > 0 else 0.0))

    @property
    def matrix(self) -> csr_matrix:
        """The sparse matrix W."""
        n, c = self.weights.shape
        places = (self.weights.flatten().numpy(), self.sources.flatten().long().numpy(), np.arange(0, n * c + 1, c))
        return csr_matrix(places, shape=(n, n))


class Driven:
    """A reservoir that is driven by signals, for many of them at once.

    Parameters
    ----------
    reservoir
        The connections.
    activation
        Function of the units, such as ``tanh`` or a mixture.
    """

    def __init__(self, reservoir: Reservoir, activation: Activation) -> None:
        self.reservoir, self.activation = reservoir, activation
        self._matrix, self._entrance = reservoir.matrix, reservoir.entrance.T.contiguous()

    def rest(self, n: int) -> Float[Tensor, "n N"]:
        """Return n reservoirs at rest."""
        return torch.zeros(n, len(self.reservoir.bias), dtype=torch.float64)

    def step(self, r: Float[Tensor, "n N"], u: Float[Tensor, "n m"]) -> Float[Tensor, "n N"]:
        """Return the states of the units after they have seen one value of each signal."""
        return self.moved(r, self.entering(u))

    def entering(self, u: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch N"]:
        """Return what signals contribute to the argument of each unit, with its bias."""
        return torch.addmm(self.reservoir.bias, u.flatten(0, -2), self._entrance).unflatten(0, u.shape[:-1])

    def moved(self, r: Float[Tensor, "n N"], entering: Float[Tensor, "n N"]) -> Float[Tensor, "n N"]:
        """Return the states of the units after a step, given what enters."""
        answer = self.activation(torch.from_numpy(self._matrix @ r.numpy().T).T + entering)
        leak = self.reservoir.leak
        return answer if leak == 1 else (1 - leak) * r + leak * answer

    def washout(self, run: Stretch, most: int) -> int | None:
        """Return the number of steps after which units no longer depend on their first values; None if it exceeds ``most``."""
        r = torch.ones_like(self.rest(3)) * torch.tensor([[-1.0], [0.0], [1.0]])
        for i in range(most):
            r = self.step(r, torch.cat([run.z[i], run.given[i]]).expand(3, -1))
            if float((r - r[:1]).abs().max()) < FORGOTTEN:
                return i + 1
        return None


def spectral_radius(matrix: csr_matrix) -> float:
    """Return the largest absolute value of an eigenvalue of a sparse matrix."""
    n = matrix.shape[0]
    if n > SMALL:
        try:
            return float(np.abs(eigs(matrix, k=SEVERAL, v0=np.ones(n), return_eigenvectors=False)).max())
        except ArpackNoConvergence:
            pass
    return float(np.abs(np.linalg.eigvals(matrix.toarray())).max())
