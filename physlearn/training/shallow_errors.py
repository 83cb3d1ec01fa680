r"""Errors of networks with one hidden layer, and their normal equations, in closed form, compiled and in float64.

The errors are linear in features of the neurons, and so are their derivatives by the weights: the derivatives of

.. math:: \sum_h A_{ch}\,\sigma(B_h x + b_h) + a_c \quad\text{and}\quad \sum_h B_{hc}\,w_h\,\sigma'(B_h x + b_h)

have the features :math:`f` and :math:`f' x_e`, where f is :math:`\sigma` for outputs and :math:`\sigma'` for a gradient. The
matrix of the normal equations has the products of the features, summed over the samples by BLAS, times factors of the weights
alone, so the number of components does not multiply the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg.blas import dsyrk

from physlearn.activations.double import activate
from physlearn.models.shallow import Neurons
from physlearn.training.fused import FusedProblem

BLOCK = 500  # samples whose features are computed at once, so that they fit into the cache


class Weights(NamedTuple):
    """The weights of a network; the last row of ``inner`` and the last column of ``outer`` are biases.

    Attributes
    ----------
    inner : shape ``(D + 1, H)``
        Weights of the hidden layer.
    outer : shape ``(C, H + 1)``, or ``(1, H)`` for a gradient
        Weights of the output layer.
    """

    inner: np.ndarray
    outer: np.ndarray


@dataclass(frozen=True, eq=False)
class ShallowErrors:
    """The errors of one network with one hidden layer on a problem.

    Parameters
    ----------
    problem : FusedProblem
        Inputs and targets in float64, for the outputs or the gradient of a network.
    neurons : tuple of Neurons
        Functions of the neurons.
    """

    problem: FusedProblem
    neurons: tuple[Neurons, ...]

    @property
    def size(self) -> int:
        """The number of weights."""
        inputs, outputs = self.problem.inputs.shape[1], self.problem.targets.shape[1]
        return self._hidden * (inputs + 2) if self._of_gradient else self._hidden * (inputs + 1 + outputs) + outputs

    def parts(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " C"]:
        """Return the contribution of each component to the loss.

        Parameters
        ----------
        weights : shape ``(P,)``
            Weights in the order of the parameters of the network.

        Returns
        -------
        ndarray, shape ``(C,)``
            The weighted mean squares.
        """
        network = self._split(weights)
        total = np.zeros(len(self.problem.weights))
        for _, y, (f,) in self._blocks(network, [self._order]):
            total += np.square(self._errors(network, f, y)).sum(1)
        return total * self.problem.weights / len(self.problem.inputs)

    def gradient(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return half of the gradient of the loss.

        Parameters
        ----------
        weights : shape ``(P,)``
            Weights in the order of the parameters of the network.

        Returns
        -------
        ndarray, shape ``(P,)``
            The Jacobian of the weighted errors, transposed, times these errors.
        """
        network, shares = self._split(weights), self.problem.weights
        sums = np.zeros((self._all, len(shares)))  # of each feature times each error
        for x, y, (f, slope) in self._blocks(network, [self._order, self._order + 1]):
            sums += self._features(x, f, slope) @ self._errors(network, f, y).T
        sums *= shares / len(self.problem.inputs)
        own, inner = sums[: self._own], sums[self._own :].reshape(-1, self._hidden, len(shares))
        if not self._of_gradient:
            return self._joined((inner * network.outer[:, :-1].T).sum(-1), own.T)
        back = network.inner[:-1].T
        by_inner = (inner * back).sum(-1)
        by_inner[:-1] += own.T
        return self._joined(network.outer * by_inner, (own * back).sum(1))

    def matrix(self, weights: Float[np.ndarray, " P"], every: int = 1, first: int = 0) -> Float[np.ndarray, "P P"]:
        """Return the matrix of the normal equations, an estimate of half of the Hessian of the loss.

        Parameters
        ----------
        weights : shape ``(P,)``
            Weights in the order of the parameters of the network.
        every, first
            The samples ``first::every`` represent all samples.

        Returns
        -------
        ndarray, shape ``(P, P)``
            The transposed Jacobian of the weighted errors times the Jacobian.
        """
        network = self._split(weights)
        products, samples = np.zeros((self._all, self._all), order="F"), 0
        for x, _, (f, slope) in self._blocks(network, [self._order, self._order + 1], slice(first, None, every)):
            products = dsyrk(1.0, self._features(x, f, slope).T, beta=1.0, c=products, trans=1, overwrite_c=1)
            samples += len(x)
        products = (np.triu(products) + np.triu(products, 1).T) / samples
        n, k = self._own, self._hidden
        inner = products[n:, n:].reshape(-1, k, (len(products) - n) // k, k)
        pieces = products[:n, :n], products[:n, n:].reshape(n, -1, k), inner
        return self._of_a_gradient(network, *pieces) if self._of_gradient else self._of_outputs(network, *pieces)

    def _of_outputs(self, network: Weights, own: np.ndarray, mixed: np.ndarray, inner: np.ndarray) -> np.ndarray:
        shares, back = self.problem.weights, network.outer[:, :-1]
        n, outputs, slopes = len(own), len(shares), inner.shape[0] * inner.shape[1]
        split = n * outputs
        found = np.zeros((split + slopes,) * 2)
        for c in range(outputs):
            rows = slice(c * n, (c + 1) * n)
            found[rows, rows] = shares[c] * own
            found[rows, split:] = (shares[c] * back[c] * mixed).reshape(n, slopes)
        found[split:, :split] = found[:split, split:].T
        found[split:, split:] = (((shares * back.T) @ back)[None, :, None, :] * inner).reshape(slopes, slopes)
        places = np.arange(split + slopes)
        order = self._joined(places[split:].reshape(inner.shape[:2]), places[:split].reshape(outputs, n))
        return found[np.ix_(order, order)]

    def _of_a_gradient(self, network: Weights, own: np.ndarray, mixed: np.ndarray, inner: np.ndarray) -> np.ndarray:
        shares, B, w = self.problem.weights, network.inner[:-1], network.outer[0]
        n, slopes = len(w), inner.shape[0] * inner.shape[1]
        weighted = shares[:, None] * B
        both, pairs = weighted.T @ B, w[:, None] * w
        found = np.empty((n + slopes,) * 2)
        found[:n, :n] = both * own
        of_mixed = both[:, None, :] * mixed
        of_inner = both[None, :, None, :] * inner
        for e in range(len(B)):  # a weight of input e is also the factor of component e
            of_mixed[:, e] += weighted[e][:, None] * own
            of_inner[e, :, e] += shares[e] * own
            of_inner[e] += weighted[e] * mixed
            of_inner[:, :, e] += weighted[e][:, None] * mixed.transpose(1, 2, 0)
        found[:n, n:] = (of_mixed * w).reshape(n, slopes)
        found[n:, :n] = found[:n, n:].T
        found[n:, n:] = (of_inner * pairs[None, :, None, :]).reshape(slopes, slopes)
        places = np.arange(n + slopes)
        order = self._joined(places[n:].reshape(inner.shape[:2]), places[:n])
        return found[np.ix_(order, order)]

    @property
    def _of_gradient(self) -> bool:
        return self.problem.kind == "gradient"

    @property
    def _order(self) -> int:
        """Order of the derivative of the activation in the errors."""
        return int(self._of_gradient)

    @property
    def _hidden(self) -> int:
        return sum(block.count for block in self.neurons)

    @property
    def _own(self) -> int:
        """Number of features of which the errors are sums: those of the neurons, and 1 for biases of outputs."""
        return self._hidden + (not self._of_gradient)

    @property
    def _all(self) -> int:
        """Number of all features."""
        return self._own + self._hidden * (self.problem.inputs.shape[1] + 1)

    def _split(self, weights: np.ndarray) -> Weights:
        hidden, inputs = self._hidden, self.problem.inputs.shape[1]
        inner, shift, outer = np.split(weights, [hidden * inputs, hidden * (inputs + 1)])
        rows = 1 if self._of_gradient else self.problem.targets.shape[1]
        matrix, biases = outer[: rows * hidden].reshape(rows, hidden), outer[rows * hidden :]
        columns = [matrix] if self._of_gradient else [matrix, biases[:, None]]
        return Weights(np.concatenate([inner.reshape(hidden, inputs).T, shift[None]]), np.concatenate(columns, axis=1))

    def _joined(self, inner: np.ndarray, outer: np.ndarray) -> np.ndarray:
        """Return numbers, one for each weight, in the order of the parameters of the network."""
        last = [outer.reshape(-1)] if self._of_gradient else [outer[:, :-1].reshape(-1), outer[:, -1]]
        return np.concatenate([inner[:-1].T.reshape(-1), inner[-1], *last])

    def _blocks(
        self, network: Weights, orders: list[int], rows: slice = slice(None)
    ) -> Iterator[tuple[np.ndarray, np.ndarray, list[np.ndarray]]]:
        """Yield inputs ``(n, D)``, targets ``(n, C)`` and derivatives ``(H, n)`` of the activation, block by block."""
        inputs, targets = self.problem.inputs[rows], self.problem.targets[rows]
        starts = np.cumsum([0, *(block.count for block in self.neurons)])
        for begin in range(0, len(inputs), BLOCK):
            x, y = inputs[begin : begin + BLOCK], targets[begin : begin + BLOCK]
            a = network.inner[:-1].T @ x.T + network.inner[-1][:, None]
            found = [np.empty_like(a) for _ in orders]
            for order, f in zip(orders, found, strict=True):
                for start, block in zip(starts, self.neurons, strict=False):
                    own = slice(start, start + block.count)
                    activate(block.code, order, block.numbers, a[own].reshape(-1), f[own].reshape(-1))
            yield x, y, found

    def _features(self, x: np.ndarray, f: np.ndarray, slope: np.ndarray) -> np.ndarray:
        ones = [] if self._of_gradient else [np.ones((1, len(x)))]
        return np.concatenate([f, *ones, *(slope * column for column in x.T), slope])

    def _errors(self, network: Weights, f: np.ndarray, y: np.ndarray) -> np.ndarray:
        if self._of_gradient:
            return (network.inner[:-1] * network.outer) @ f - y.T
        return network.outer[:, :-1] @ f + network.outer[:, -1:] - y.T
