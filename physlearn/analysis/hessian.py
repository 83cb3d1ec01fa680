"""The Hessian of a loss: its second derivatives with respect to the weights."""

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

LARGEST = 10_000  # weights; their matrix takes 0.8 GB in float64
SMALL = 200  # weights; up to here computing the matrix is faster than a Lanczos iteration
PROBES = 100
QUADRATURES, STEPS = 10, 80  # one product per step


class Estimate(NamedTuple):
    """A mean over random samples, and its standard error.

    Parameters
    ----------
    value, error
        The mean, and its standard error.
    """

    value: float
    error: float


class Hessian:
    r"""The second derivatives of a loss with respect to the weights of a model, at its current weights.

    .. math:: H_{ij} = \frac{\partial^2 \mathcal L}{\partial\theta_i\,\partial\theta_j}

    The weights are the parameters that require a gradient, in the order of ``named_parameters()``, each flattened. Parameters
    that do not require a gradient are constants. A product H v is one backward pass through the graph of the gradient, which
    is stored. The model is not changed, and may be trained further; the Hessian remains that of the weights at its creation.

    At a kink of the activation, as in ReLU, autograd's second derivative is zero, so the result is the curvature of the loss
    between the kinks. Use models in float64; the small eigenvalues of a float32 Hessian are dominated by rounding errors.

    Parameters
    ----------
    model
        The model.
    loss_of_model
        Function that takes the model and returns a scalar. It may itself take derivatives, as the loss of a Hamiltonian
        network does.

    Attributes
    ----------
    n : int
        Number of weights.
    weights : Tensor, shape ``(n,)``
        Weights at which the Hessian is taken.
    gradient : Tensor, shape ``(n,)``
        Gradient there, small at a minimum.
    loss : float
        Loss there.

    Raises
    ------
    InputError
        If the model has no weights, or the loss is not a finite scalar or does not depend on the weights.

    References
    ----------
    For the products: Pearlmutter, Neural Computation 6, 147 (1994).
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
                raise InputError("the loss does not depend on the weights; loss_of_model must compute it from its argument")
            (self._slope,) = torch.autograd.grad(loss, self._theta, create_graph=True)
        self.loss = float(loss.detach())
        self.gradient: Float[Tensor, " n"] = self._slope.detach()
        self.n = len(self.weights)

    @takes_arrays("v")
    @outside_inference
    def matvec(self, v: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Return the product H v, without computing H.

        Parameters
        ----------
        v : shape ``(n,)``
            Vector.

        Returns
        -------
        Tensor, shape ``(n,)``
            The product.

        Raises
        ------
        InputError
            If the vector has another length.
        """
        if v.shape != (self.n,):
            raise InputError(f"the Hessian of {self.n} weights needs a vector of shape ({self.n},), not {tuple(v.shape)}")
        if not self._slope.requires_grad:  # the loss is linear
            return torch.zeros_like(self.weights)
        v = v.to(self.weights)
        with suited_to(self._elements):
            return torch.autograd.grad(self._slope, self._theta, v, retain_graph=True, materialize_grads=True)[0]

    def matrix(self, largest: int = LARGEST) -> Float[Tensor, "n n"]:
        """Return the full matrix H, computed once by one product per row.

        Parameters
        ----------
        largest
            Largest number of weights allowed, 10 000 by default: the memory grows with the square of that number.

        Returns
        -------
        Tensor, shape ``(n, n)``
            The Hessian.

        Raises
        ------
        InputError
            If there are more weights than ``largest``.
        """
        if self.n > largest:
            gigabytes = self.n**2 * self.weights.element_size() / 1e9
            raise InputError(
                f"the Hessian of {self.n} weights takes {gigabytes:.2g} GB and {self.n} products; request it by "
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
        """Return all eigenvalues, computed from the matrix.

        Parameters
        ----------
        largest
            Largest number of weights allowed, 10 000 by default.

        Returns
        -------
        Tensor, shape ``(n,)``
            Eigenvalues in ascending order.

        Raises
        ------
        InputError
            If there are more weights than ``largest``.
        """
        self.matrix(largest)
        return self._eigenvalues

    @cached_property
    def _eigenvalues(self) -> Float[Tensor, " n"]:
        return torch.linalg.eigvalsh(self._matrix.double()).to(self.weights)

    def leading(self, k: int = 2, *, seed: int = 0) -> tuple[Float[Tensor, " k"], Float[Tensor, "k n"]]:
        """Return the k largest eigenvalues and their eigenvectors, which are the sharpest directions.

        An implicitly restarted Lanczos iteration computes them from a random vector; small matrices are diagonalised.

        Parameters
        ----------
        k
            Number of eigenvalues, from 1 to n.
        seed
            Random seed.

        Returns
        -------
        values : Tensor, shape ``(k,)``
            Eigenvalues in descending order.
        vectors : Tensor, shape ``(k, n)``
            Unit eigenvectors, one per row.

        Raises
        ------
        InputError
            If k is not from 1 to n.
        """
        if not 1 <= k <= self.n:
            raise InputError(f"k must be from 1 to {self.n} for a Hessian of {self.n} weights, not {k}")
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
        r"""Estimate the trace of H by Hutchinson's method, with one product per sample.

        .. math:: \operatorname{tr} H = \langle v^T H v \rangle, \qquad v_i = \pm 1

        The estimate is exact if H is diagonal. If the eigenvalues are known, use their sum instead.

        Parameters
        ----------
        samples
            Number of random vectors v, at least 2; 100 by default.
        seed
            Random seed.

        Returns
        -------
        Estimate
            The trace and its standard error.

        Raises
        ------
        InputError
            If there are fewer than two samples.

        References
        ----------
        Hutchinson, Commun. Stat. Simul. 18, 1059 (1989).
        """
        if samples < 2:
            raise InputError(f"the standard error of a trace needs at least 2 samples, not {samples}")
        probes = self._signs(samples, seed)
        found = torch.stack([torch.dot(v.double(), self.matvec(v).double()) for v in probes])
        return Estimate(float(found.mean()), float(found.std()) / sqrt(samples))

    def density(self, probes: int = QUADRATURES, steps: int = STEPS, *, seed: int = 0) -> SpectralDensity:
        """Estimate the density of the eigenvalues by stochastic Lanczos quadrature.

        A quadrature with m steps has the first 2 m - 1 moments of its probe exactly, and the mean over probes has those of H
        within its standard error. More probes reduce the noise, and more steps resolve narrower features.

        Parameters
        ----------
        probes
            Number of random vectors, at least 2; 10 by default.
        steps
            Number of Lanczos steps per probe, each of one product; 80 by default.
        seed
            Random seed.

        Returns
        -------
        SpectralDensity
            The density.

        Raises
        ------
        InputError
            If there are fewer than two probes, or no steps.

        References
        ----------
        Ubaru, Chen, Saad, SIAM J. Matrix Anal. Appl. 38, 1075 (2017); for networks, Ghorbani, Krishnan, Xiao, ICML 2019.
        """
        if probes < 2 or steps < 1:
            raise InputError(f"a density needs at least 2 probes and 1 step, not {probes} and {steps}")
        quadratures = [lanczos(self.matvec, v / sqrt(self.n), steps) for v in self._signs(probes, seed)]
        return SpectralDensity([nodes for nodes, _ in quadratures], [weights for _, weights in quadratures])

    def near_zero(self, threshold: float = 1e-3, scale: float | None = None, largest: int = LARGEST) -> float:
        """Return the fraction of the eigenvalues within ``threshold * scale`` of zero.

        `SpectralDensity.near_zero` bounds this fraction for models with too many weights.

        Parameters
        ----------
        threshold
            Relative threshold.
        scale
            Scale of the threshold, the largest absolute eigenvalue by default.
        largest
            Largest number of weights allowed.

        Returns
        -------
        float
            The fraction, from 0 to 1.

        Raises
        ------
        InputError
            If there are too many weights, or the threshold or the scale is not positive.
        """
        return near_zero(self.eigenvalues(largest), threshold, scale)

    def _signs(self, many: int, seed: int) -> Float[Tensor, "many n"]:
        return (2 * torch.randint(2, (many, self.n), generator=torch.Generator().manual_seed(seed)) - 1).to(self.weights)


def hessian(model: M, loss_of_model: Loss[M]) -> Hessian:
    """Return the Hessian of a loss at the current weights of a model.

    Parameters
    ----------
    model
        The model.
    loss_of_model
        Function that takes the model and returns a scalar.

    Returns
    -------
    Hessian
        Its products, eigenvalues, trace and spectral density.

    Examples
    --------
    >>> line = torch.nn.Linear(1, 1).double()
    >>> x = torch.tensor([[0.0], [1.0], [2.0]], dtype=torch.float64)
    >>> H = hessian(line, lambda line: (line(x) - 1).square().mean() / 2)
    >>> H.matrix()
    tensor([[1.6667, 1.0000],
            [1.0000, 1.0000]], dtype=torch.float64)
    """
    return Hessian(model, loss_of_model)
