"""The Hessian of a loss: how it curves with the weights."""

from __future__ import annotations

from functools import cached_property
from math import sqrt
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import Tensor

from physlearn.analysis.lanczos import lanczos
from physlearn.analysis.loss import Loss, LossOfWeights, M
from physlearn.analysis.spectrum import SpectralDensity, near_zero
from physlearn.threads import suited_to
from systems import InputError
from systems.autograd_mode import outside_inference
from systems.floats import takes_arrays

LARGEST = 10_000  # weights: 0.8 GB of matrix in float64
SMALL = 200  # weights: their matrix is sooner there than a Lanczos iteration has converged
PROBES = 100
QUADRATURES, STEPS = 10, 80  # a product each


class Estimate(NamedTuple):
    """A mean over random draws, and its standard error."""

    value: float
    error: float


class Hessian:
    r"""The second derivatives of a loss by the weights of a model, at the weights that it has now.

    .. math:: H_{ij} = \frac{\partial^2 \mathcal L}{\partial\theta_i\,\partial\theta_j}

    loss_of_model: takes the model and gives a scalar; it may itself take derivatives, as the loss of a Hamiltonian network
    does. The weights are the parameters that require a gradient, in the order of ``named_parameters()``, each flattened;
    parameters that require none are constants. A product H v is one more backward pass through the graph of the gradient,
    which is kept. The model is not changed, and may be trained on: the Hessian stays the one of the weights it was made at.

    At a kink of the activation, as ReLU has, autograd's second derivative is zero: what is left is the curvature of the
    loss between the kinks. Take models in float64: small eigenvalues of a float32 Hessian are rounding.

    n: the number of weights. weights, gradient: ``(n,)``, where the Hessian is taken, and the slope there, small at a minimum.
    loss: its value there.

    Raises InputError for a model without weights, a loss that is not a finite scalar or does not depend on the weights.
    Source: for the products, Pearlmutter, Neural Computation 6, 147 (1994).
    """

    @outside_inference
    def __init__(self, model: M, loss_of_model: Loss[M]) -> None:
        of_weights = LossOfWeights(model, loss_of_model)
        self.weights: Float[Tensor, " n"] = of_weights.here()
        self._elements = of_weights.elements(self.weights)
        with torch.enable_grad(), suited_to(self._elements):
            self._theta = self.weights.clone().requires_grad_()
            loss = of_weights(self._theta)
            if not loss.requires_grad:
                raise InputError("the loss does not depend on the weights: loss_of_model must compute it from its model")
            (self._slope,) = torch.autograd.grad(loss, self._theta, create_graph=True)
        self.loss = float(loss.detach())
        self.gradient: Float[Tensor, " n"] = self._slope.detach()
        self.n = len(self.weights)

    @takes_arrays("v")
    @outside_inference
    def matvec(self, v: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """H v, without H. Raises InputError for a vector of another length."""
        if v.shape != (self.n,):
            raise InputError(f"the Hessian of {self.n} weights acts on vectors ({self.n},), not {tuple(v.shape)}")
        if not self._slope.requires_grad:  # the loss is linear
            return torch.zeros_like(self.weights)
        v = v.to(self.weights)
        with suited_to(self._elements):
            return torch.autograd.grad(self._slope, self._theta, v, retain_graph=True, materialize_grads=True)[0]

    def matrix(self, largest: int = LARGEST) -> Float[Tensor, "n n"]:
        """H in full, a product a row; computed once.

        Raises InputError for more weights than ``largest``: its memory goes with their square, its time with n products.
        """
        if self.n > largest:
            gigabytes = self.n**2 * self.weights.element_size() / 1e9
            raise InputError(
                f"the Hessian of {self.n} weights takes {gigabytes:.2g} GB and as many products; ask for it by "
                f"matrix(largest={self.n}), or use trace(), density() and leading()"
            )
        return self._matrix

    @cached_property
    def _matrix(self) -> Float[Tensor, "n n"]:
        rows = self.weights.new_empty(self.n, self.n)
        unit = torch.zeros_like(self.weights)
        for i in range(self.n):
            unit[i] = 1
            rows[i] = self.matvec(unit)
            unit[i] = 0
        return (rows + rows.T) / 2

    def eigenvalues(self, largest: int = LARGEST) -> Float[Tensor, " n"]:
        """All of them, the smallest first, from the matrix. Raises InputError as ``matrix`` does."""
        self.matrix(largest)
        return self._eigenvalues

    @cached_property
    def _eigenvalues(self) -> Float[Tensor, " n"]:
        return torch.linalg.eigvalsh(self._matrix.double()).to(self.weights)

    def leading(self, k: int = 2, *, seed: int = 0) -> tuple[Float[Tensor, " k"], Float[Tensor, "k n"]]:
        """The k largest eigenvalues, the largest first, and their unit eigenvectors: the sharpest directions.

        Found by an implicitly restarted Lanczos iteration from a start that the seed draws, or from the matrix where that is
        small. Raises InputError for a k that is not from 1 to n.
        """
        if not 1 <= k <= self.n:
            raise InputError(f"a Hessian of {self.n} weights has from 1 to {self.n} eigenvalues, not {k}")
        if self.n <= SMALL or k == self.n:
            values, vectors = torch.linalg.eigh(self.matrix(max(LARGEST, SMALL)).double())
            return values[-k:].flip(0).to(self.weights), vectors[:, -k:].T.flip(0).to(self.weights)

        def product(v: np.ndarray) -> np.ndarray:
            return self.matvec(torch.from_numpy(v).flatten().to(self.weights)).double().cpu().numpy()

        operator = LinearOperator((self.n, self.n), matvec=product, dtype=np.float64)
        start = torch.randn(self.n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).numpy()
        tolerance = 10 * torch.finfo(self.weights.dtype).eps
        values, vectors = eigsh(operator, k, which="LA", v0=start, tol=tolerance)
        order = np.argsort(values)[::-1].copy()
        return torch.from_numpy(values[order]).to(self.weights), torch.from_numpy(vectors.T[order].copy()).to(self.weights)

    def trace(self, samples: int = PROBES, *, seed: int = 0) -> Estimate:
        r"""Hutchinson's estimate of tr H with its standard error, of a product a sample.

        .. math:: \operatorname{tr} H = \langle v^T H v \rangle, \qquad v_i = \pm 1

        It is exact where H is diagonal. From eigenvalues that are at hand, take their sum.

        Raises InputError for fewer than two samples.
        Source: Hutchinson, Commun. Stat. Simul. 18, 1059 (1989).
        """
        if samples < 2:
            raise InputError(f"a trace with its standard error needs at least 2 samples, not {samples}")
        probes = self._signs(samples, seed)
        found = torch.stack([torch.dot(v.double(), self.matvec(v).double()) for v in probes])
        return Estimate(float(found.mean()), float(found.std()) / sqrt(samples))

    def density(self, probes: int = QUADRATURES, steps: int = STEPS, *, seed: int = 0) -> SpectralDensity:
        """The density of the eigenvalues by stochastic Lanczos quadrature, of ``steps`` products a probe.

        A quadrature of m steps has the first 2 m - 1 moments of its probe exactly; the mean over probes has those of H to
        within its standard error. More probes lessen the noise, more steps resolve narrower features.

        Raises InputError for fewer than two probes or no steps.
        Source: Ubaru, Chen, Saad, SIAM J. Matrix Anal. Appl. 38, 1075 (2017); for networks, Ghorbani, Krishnan, Xiao,
        ICML 2019.
        """
        if probes < 2 or steps < 1:
            raise InputError(f"a density needs at least 2 probes and 1 step, not {probes} and {steps}")
        quadratures = [lanczos(self.matvec, v / sqrt(self.n), steps) for v in self._signs(probes, seed)]
        return SpectralDensity([nodes for nodes, _ in quadratures], [weights for _, weights in quadratures])

    def near_zero(self, threshold: float = 1e-3, scale: float | None = None, largest: int = LARGEST) -> float:
        """The fraction of the eigenvalues within ``threshold * scale`` of zero, from all of them; see `near_zero`.

        `SpectralDensity.near_zero` bounds it where there are too many. Raises InputError as ``matrix`` does.
        """
        return near_zero(self.eigenvalues(largest), threshold, scale)

    def _signs(self, many: int, seed: int) -> Float[Tensor, "many n"]:
        bits = torch.randint(2, (many, self.n), generator=torch.Generator().manual_seed(seed))
        return (2 * bits - 1).to(self.weights)


def hessian(model: M, loss_of_model: Loss[M]) -> Hessian:
    """The `Hessian` of a loss at the weights of a model.

    >>> line = torch.nn.Linear(1, 1).double()
    >>> x = torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)
    >>> H = hessian(line, lambda line: (line(x) - 1).square().mean() / 2)
    >>> H.matrix()
    tensor([[1.6667, 1.0000],
            [1.0000, 1.0000]], dtype=torch.float64)
    """
    return Hessian(model, loss_of_model)
