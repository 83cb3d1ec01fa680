"""The inner loop of Algorithm 1: networks that train with the activations as they are now."""

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
"""The activations of each network, as the coefficients of their splines' pieces."""


@dataclass(frozen=True)
class Networks:
    """A stack of S networks in the middle of their training.

    weights: ``(S, P)``. state: their optimiser's. count: ``(S, 1)``, steps taken. learning_rate: ``(S, 1)``.
    """

    weights: Float[Tensor, "S P"]
    state: State
    count: Int[Tensor, "S 1"]
    learning_rate: Float[Tensor, "S 1"]

    def leaves(self) -> Networks:
        """The same numbers as leaves of a new graph."""
        rate, weights, *state = (x.detach().clone().requires_grad_() for x in (self.learning_rate, self.weights, *self.state))
        return Networks(weights, tuple(state), self.count, rate)

    def detached(self) -> Networks:
        """The same numbers without a graph."""
        state = tuple(part.detach() for part in self.state)
        return Networks(self.weights.detach(), state, self.count, self.learning_rate.detach())


class InnerLoop:
    """Trains stacks of S networks of one kind, for any S, each with its own activations, on the same pairs.

    model: the network, with scales that fit the pairs; its activation is replaced. The sub-networks' curves reach it as
    splines on ``grid``: evaluating each sub-network once and interpolating, differentiably, costs a tenth of the memory of
    evaluating it in every neuron, and is exactly what is used afterwards. falling: the learning rate at each step, in units of
    the first; without, it stays as it is. compiled: by torch.compile, which cannot be differentiated twice.
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
            raise InputError(f"the neurons of the model {model.name} have no activations that could be learned")

    def start(self, weights: Float[Tensor, "S P"], learning_rate: Float[Tensor, "S 1"]) -> Networks:
        """New networks with those weights."""
        count = torch.zeros(len(weights), 1, dtype=torch.long, device=weights.device)
        return Networks(weights, self.optimizer.start(weights), count, learning_rate)

    def losses(
        self, weights: Float[Tensor, "S P"], curves: Curves, batch: Int[Tensor, "S B"], pairs: Pairs | None = None
    ) -> Float[Tensor, " S"]:
        """The loss of each network on its own batch, of the pairs that it trains on or of others."""
        pairs = pairs or self.pairs
        return self._error(weights, curves, pairs.z[batch], pairs.target[batch])

    def losses_on(self, weights: Float[Tensor, "S P"], curves: Curves, pairs: Pairs) -> Float[Tensor, " S"]:
        """The loss of each network on all of these pairs, without a graph."""
        every = torch.arange(len(pairs), device=weights.device).expand(len(weights), -1)
        with torch.no_grad():
            return self.losses(weights, curves, every, pairs)

    def _error_of(self, weights: Tensor, curves: Tensor, z: Tensor, target: Tensor) -> Float[Tensor, " S"]:
        tensors = {**self.layout.views(weights), **dict.fromkeys(self._curves, curves)}
        return loss_of(self.model, outputs(self.model, tensors, z), target, self.reduction)

    def step(
        self, networks: Networks, curves: Curves, batch: Int[Tensor, "S B"], *, create_graph: bool = False
    ) -> tuple[Networks, Float[Tensor, " S"]]:
        """One training step of each network, and the losses before it; with a graph, both are differentiable by all."""
        weights = networks.weights if networks.weights.requires_grad else networks.weights.detach().requires_grad_()
        with torch.enable_grad(), piecewise_cubic.by_argument_only():
            losses = self.losses(weights, curves if create_graph else curves.detach(), batch)
            (gradient,) = torch.autograd.grad(losses.sum(), weights, create_graph=create_graph)
        return self.advance(replace(networks, weights=weights), gradient, create_graph=create_graph), losses

    def advance(self, networks: Networks, gradient: Float[Tensor, "S P"], *, create_graph: bool = False) -> Networks:
        """The optimiser's step by a gradient."""
        with torch.set_grad_enabled(create_graph):
            rate = networks.learning_rate
            if self.falling is not None:
                rate = rate * self.falling[networks.count.clamp(max=len(self.falling) - 1)]
            weights, state = self.optimizer.step(networks.weights, gradient, networks.state, rate, networks.count + 1)
        return Networks(weights, state, networks.count + 1, networks.learning_rate)


def draw_batches(
    pairs: int, networks: int, steps: int, batch_size: int, generator: torch.Generator
) -> Int[Tensor, "networks steps B"]:
    """Shuffled batches for each network: all pairs once in a random order, and once more as long as steps are left."""
    batch_size = min(batch_size, pairs)
    in_one = pairs // batch_size
    orders = []
    for _ in range(networks):
        times = [torch.randperm(pairs, generator=generator)[: in_one * batch_size] for _ in range(-(-steps // in_one))]
        orders.append(torch.cat(times).unflatten(0, (-1, batch_size))[:steps])
    return torch.stack(orders)


def draw_rates(low: float, high: float, n: int, generator: torch.Generator) -> Float[Tensor, "n 1"]:
    """Log-uniform numbers between two, in float64."""
    u = torch.rand(n, 1, generator=generator, dtype=torch.float64)
    return low * (high / low) ** u
