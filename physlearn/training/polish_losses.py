"""The loss of a model's rates in float64, as the polish minimises it: in closed form, or by torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import block_diag
from torch import Tensor

from physlearn.models import Model
from physlearn.models.layers import Layers
from physlearn.models.network import Network
from physlearn.models.neurons import neurons_of
from physlearn.training import levenberg_marquardt, quasi_newton
from physlearn.training.fused_engine import Fit, networks_of, together
from physlearn.training.loss import Counting
from physlearn.training.pairs import Pairs
from physlearn.training.shallow_errors import ShallowErrors
from systems.compiled.operators import UntraceableError

MOST_WEIGHTS = 1500  # with more, the matrix of the normal equations costs more than it gains
SAMPLES = 3000  # of which this matrix is the sum; other ones in each step, so that all contribute
PER_WEIGHT = 4  # errors per weight that it has at least, if there are as many
AT_ONCE = 5000  # samples that torch differentiates at once


class PolishLoss(Protocol):
    """A loss on some pairs as a function of all weights of a model."""

    def parts(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " parts"]:
        """Return the contribution of each component; if they are not weighted, all form one part."""

    def descend(self, weights: Float[np.ndarray, " P"], steps: int) -> Iterator[Float[np.ndarray, " P"]]:
        """Yield better and better weights."""


def loss_of(model: Model, pairs: Pairs, counting: Counting, *, closed: bool = True) -> PolishLoss:
    """Return the loss of a model in float64, in closed form if that is wanted and its size allows it."""
    return ShallowLoss(model, pairs, counting) if closed and by_normal_equations(model) else TorchLoss(model, pairs, counting)


def by_normal_equations(model: Model) -> bool:
    """Return whether the polish of a model is by Levenberg-Marquardt, in closed form, instead of L-BFGS by torch."""
    networks = networks_of(model)
    few = sum(parameter.numel() for parameter in model.parameters()) <= MOST_WEIGHTS
    return few and bool(networks) and all(_is_shallow(network) for network in networks)


def _is_shallow(network: Layers) -> bool:
    if type(network) is not Network or len(network.layers) != 2:
        return False
    try:
        neurons_of(network.activation, network.shapes[0][0])
    except UntraceableError:
        return False
    return True


class ShallowLoss:
    """The loss of a model whose networks have one hidden layer, minimised by Levenberg-Marquardt.

    Parameters
    ----------
    model
        The model in float64, on the CPU.
    pairs
        Pairs in float64.
    counting
        Weights of the components.
    """

    def __init__(self, model: Model, pairs: Pairs, counting: Counting) -> None:
        self.counting = counting
        self.fits = Fit.each(model, pairs, counting.reduction, counting.weights)
        self.errors = [
            ShallowErrors(fit.problem, neurons_of(network.activation, network.shapes[0][0]))
            for network, fit in zip(networks_of(model), self.fits, strict=True)
        ]
        self._ends = np.cumsum([part.size for part in self.errors])[:-1]
        per_weight = PER_WEIGHT * max(part.size // len(part.problem.weights) for part in self.errors)
        self._every = max(1, len(pairs) // max(SAMPLES, per_weight))

    def parts(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " parts"]:
        """Return the contribution of each component."""
        found = [part.parts(own) for part, own in self._split(weights)]
        if self.counting.weights is None:
            rest = sum(float(fit.left_of_all.sum()) for fit in self.fits)
            return np.array([sum(float(own.sum()) for own in found) + rest])
        whole = [np.concatenate([own, fit.left_of_all]) for own, fit in zip(found, self.fits, strict=True)]
        return together(whole, self.fits, self.counting)

    def loss(self, weights: Float[np.ndarray, " P"]) -> float:
        """Return the part of the loss that depends on the weights."""
        return float(sum(part.parts(own).sum() for part, own in self._split(weights)))

    def gradient(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " P"]:
        """Return half of the gradient."""
        return np.concatenate([part.gradient(own) for part, own in self._split(weights)])

    def matrix(self, weights: Float[np.ndarray, " P"], step: int = 0) -> Float[np.ndarray, "P P"]:
        """Return the matrix of the normal equations, from some of the samples if there are many."""
        first = step % self._every
        return np.asarray(block_diag(*(part.matrix(own, self._every, first) for part, own in self._split(weights))))

    def descend(self, weights: Float[np.ndarray, " P"], steps: int) -> Iterator[Float[np.ndarray, " P"]]:
        """Yield the weights after each step."""
        return levenberg_marquardt.descend(self, weights, steps)

    def _split(self, weights: np.ndarray) -> Iterator[tuple[ShallowErrors, np.ndarray]]:
        return zip(self.errors, np.split(weights, self._ends), strict=True)


class TorchLoss:
    """The loss of any model, minimised by L-BFGS; the model holds the weights at which the loss was last evaluated.

    Parameters
    ----------
    model
        The model in float64.
    pairs
        Pairs in float64.
    counting
        Weights of the components.
    """

    def __init__(self, model: Model, pairs: Pairs, counting: Counting) -> None:
        self.model, self.pairs, self.counting = model, pairs, counting

    def parts(self, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, " parts"]:
        """Return the contribution of each component."""
        before = weights_of(self.model)
        put(self.model, weights)
        with torch.no_grad():
            found = torch.stack(list(self._terms())).sum(0).cpu().numpy()
        put(self.model, before)
        return found

    def descend(self, weights: Float[np.ndarray, " P"], steps: int) -> Iterator[Float[np.ndarray, " P"]]:
        """Yield the weights after every 20 steps."""
        put(self.model, weights)
        for _ in quasi_newton.descend(lambda: (term.sum() for term in self._terms()), list(self.model.parameters()), steps):
            yield weights_of(self.model)

    def _terms(self) -> Iterator[Float[Tensor, " parts"]]:
        """Yield the parts of the loss from some pairs at a time."""
        for z, target in zip(self.pairs.z.split(AT_ONCE), self.pairs.target.split(AT_ONCE), strict=True):
            yield self.counting.parts(self.model, self.model(z), target) * (len(z) / len(self.pairs))


def weights_of(model: Model) -> Float[np.ndarray, " P"]:
    """Return a copy of all weights of a model, in the order of its parameters."""
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).cpu().numpy()


def put(model: Model, weights: Float[np.ndarray, " P"]) -> None:
    """Write all weights into a model."""
    parameters = list(model.parameters())
    with torch.no_grad():
        parts = torch.from_numpy(weights).split([parameter.numel() for parameter in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.copy_(part.view_as(parameter))
