"""The inner loop of Algorithm 1: networks train with the current activations."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.activations import Piecewise, piecewise_cubic
from physlearn.models import Learner
from physlearn.models.network import Network
from physlearn.models.stack import Weights, outputs, stack
from physlearn.training.loss import Reduction, loss_of
from physlearn.training.optimizers import Optimizer, State
from physlearn.training.pairs import Pairs
from systems import InputError

Curves = Float[Tensor, "S types cells 4"]
"""The activations of each network, as the coefficients of the pieces of their splines."""


@dataclass(frozen=True)
class Networks:
    """A stack of S networks during their training.

    ``weights`` are ``(S, P)``, ``state`` is the state of their optimiser, ``count`` ``(S, 1)`` the number of steps taken, and
    ``learning_rate`` is ``(S, 1)``.
    """

    weights: Float[Tensor, "S P"]
    state: State
    count: Int[Tensor, "S 1"]
    learning_rate: Float[Tensor, "S 1"]

    def leaves(self) -> Networks:
        """Return a copy whose tensors are leaves of a new graph."""
        rate, weights, *state = (x.detach().clone().requires_grad_() for x in (self.learning_rate, self.weights, *self.state))
        return Networks(weights, tuple(state), self.count, rate)

    def detached(self) -> Networks:
        """Return the same networks without a graph."""
        state = tuple(part.detach() for part in self.state)
        return Networks(self.weights.detach(), state, self.count, self.learning_rate.detach())


class InnerLoop:
    """Train stacks of S networks of one architecture, for any S, each with its own activations, on the same pairs.

    ``model`` is the network, standardised for the pairs; its activation is replaced. The curves of the sub-networks are passed
    to it as splines on ``grid``. Evaluating each sub-network once and interpolating it differentiably takes a tenth of the
    memory of evaluating it in every neuron, and the learned activations are used in this form later. ``falling`` is the
    learning rate at each step relative to the first; by default it is constant. ``compiled`` uses torch.compile, whose result
    cannot be differentiated twice.
    """

    def __init__(
        self,
        model: Learner,
        pairs: Pairs,
        grid: piecewise_cubic.Grid,
        optimizer: Optimizer,
        reduction: Reduction,
        *,
        falling: Float[Tensor, " steps"] | None = None,
        compiled: bool = False,
    ) -> None:
        self.falling = falling
        self.model = copy.deepcopy(model).requires_grad_(False)
        for part in self.model.modules():
            if isinstance(part, Network):
                part.activation = Piecewise(torch.zeros(1, 1, 4, dtype=pairs.z.dtype, device=pairs.z.device), grid)
        self.layout = Weights(stack([self.model]))
        self._error = torch.compile(self._error_of, dynamic=False) if compiled else self._error_of
        self.pairs, self.grid, self.optimizer, self.reduction = pairs, grid, optimizer, reduction
        self._curves = [name for name, _ in self.model.named_buffers() if name.endswith("activation.coefficients")]
        if not self._curves:
            raise InputError(f"the neurons of the model {model.name} have no activations to learn; choose another model")

    def start(self, weights: Float[Tensor, "S P"], learning_rate: Float[Tensor, "S 1"]) -> Networks:
        """Return new networks with these weights."""
        count = torch.zeros(len(weights), 1, dtype=torch.long, device=weights.device)
        return Networks(weights, self.optimizer.start(weights), count, learning_rate)

    def losses(
        self, weights: Float[Tensor, "S P"], curves: Curves, batch: Int[Tensor, "S B"], pairs: Pairs | None = None
    ) -> Float[Tensor, " S"]:
        """Return the loss of each network on its own batch, taken from the training pairs or from other pairs."""
        pairs = pairs or self.pairs
        return self._error(weights, curves, pairs.z[batch], pairs.target[batch])

    def losses_on(self, weights: Float[Tensor, "S P"], curves: Curves, pairs: Pairs) -> Float[Tensor, " S"]:
        """Return the loss of each network on all of these pairs, without a graph."""
        every = torch.arange(len(pairs), device=weights.device).expand(len(weights), -1)
        with torch.no_grad():
            return self.losses(weights, curves, every, pairs)

    def _error_of(self, weights: Tensor, curves: Tensor, z: Tensor, target: Tensor) -> Float[Tensor, " S"]:
        tensors = {**self.layout.views(weights), **dict.fromkeys(self._curves, curves)}
        return loss_of(self.model, outputs(self.model, tensors, z), target, self.reduction)

    def step(
        self, networks: Networks, curves: Curves, batch: Int[Tensor, "S B"], *, create_graph: bool = False
    ) -> tuple[Networks, Float[Tensor, " S"]]:
        """Take one training step of each network; return the networks and the losses before it.

        With ``create_graph``, both are differentiable with respect to all inputs.
        """
        weights = networks.weights if networks.weights.requires_grad else networks.weights.detach().requires_grad_()
        with torch.enable_grad(), piecewise_cubic.by_argument_only():
            losses = self.losses(weights, curves if create_graph else curves.detach(), batch)
            (gradient,) = torch.autograd.grad(losses.sum(), weights, create_graph=create_graph)
        return self.advance(replace(networks, weights=weights), gradient, create_graph=create_graph), losses

    def advance(self, networks: Networks, gradient: Float[Tensor, "S P"], *, create_graph: bool = False) -> Networks:
        """Return the networks after a step of the optimiser along a gradient."""
        with torch.set_grad_enabled(create_graph):
            rate = networks.learning_rate
            if self.falling is not None:
                rate = rate * self.falling[networks.count.clamp(max=len(self.falling) - 1)]
            weights, state = self.optimizer.step(networks.weights, gradient, networks.state, rate, networks.count + 1)
        return Networks(weights, state, networks.count + 1, networks.learning_rate)


def draw_batches(
    pairs: int, networks: int, steps: int, batch_size: int, generator: torch.Generator
) -> Int[Tensor, "networks steps B"]:
    """Draw shuffled batches for each network; all pairs are used once in random order before they are shuffled again."""
    batch_size = min(batch_size, pairs)
    in_one = pairs // batch_size
    orders = []
    for _ in range(networks):
        times = [torch.randperm(pairs, generator=generator)[: in_one * batch_size] for _ in range(-(-steps // in_one))]
        orders.append(torch.cat(times).unflatten(0, (-1, batch_size))[:steps])
    return torch.stack(orders)


def draw_rates(low: float, high: float, n: int, generator: torch.Generator) -> Float[Tensor, "n 1"]:
    """Draw log-uniform numbers between ``low`` and ``high``, in float64."""
    u = torch.rand(n, 1, generator=generator, dtype=torch.float64)
    return low * (high / low) ** u
