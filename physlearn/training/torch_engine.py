"""The engine that trains a stack of networks of any model and depth, on any device, with torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.models import Model
from physlearn.models.stack import Weights, rates, stack
from physlearn.threads import suited_to
from physlearn.training.loss import rate_error
from physlearn.training.optimizers import clipped, find
from physlearn.training.pairs import Pairs
from physlearn.training.train import Training

ROWS = 2_000  # of data that are evaluated at once


class TorchEngine:
    """R networks of one shape on stacked weights; each sees its own batches and has its own optimiser state.

    alive: ``(R,)``, false from the step on in which a network's loss or gradient was not finite; its weights stay as they
    were, and no other network notices.
    """

    name = "torch"
    alive: Bool[Tensor, " R"]

    def __init__(self, models: Sequence[Model], pairs: Pairs, training: Training) -> None:
        self.pairs, self.training = pairs, training
        self.together = stack(models).requires_grad_(False)
        self.layout = Weights(self.together)
        self.weights: Float[Tensor, "R P"] = self.layout.flatten(self.together)
        self.optimizer = find(training.optimizer)
        self.state = self.optimizer.start(self.weights)
        self.count = 0
        self.alive = torch.ones(len(models), dtype=torch.bool, device=self.weights.device)
        self.widest = max(shape[0] for shape in self.layout.shapes.values())

    def epoch(self, order: Int[Tensor, "R n"], learning_rates: Float[Tensor, "R steps"]) -> Float[Tensor, "R steps"]:
        """One step for each batch in that order; gives the losses before each step."""
        batches = order.split(self.training.batch_size, dim=1)
        with suited_to(len(order) * self.training.batch_size * self.widest):
            losses = [self._step(batch, learning_rates[:, i : i + 1]) for i, batch in enumerate(batches)]
        return torch.stack(losses, dim=1)

    def _step(self, batch: Int[Tensor, "R B"], learning_rate: Float[Tensor, "R 1"]) -> Float[Tensor, " R"]:
        self.count += 1
        weights = self.weights.requires_grad_()
        losses = self._losses(weights, self.pairs.z[batch], self.pairs.rate[batch])
        (gradient,) = torch.autograd.grad(losses.sum(), weights)
        with torch.no_grad():
            if self.training.clip is not None:
                gradient = clipped(gradient, self.training.clip)
            self.alive = self.alive & losses.isfinite() & gradient.isfinite().all(1)
            new, state = self.optimizer.step(weights.detach(), gradient, self.state, learning_rate, self.count)
            self.weights = self._kept(new, weights.detach())
            self.state = tuple(self._kept(a, b) for a, b in zip(state, self.state, strict=True))
        return losses.detach().where(self.alive, torch.nan)

    def _kept(self, new: Tensor, old: Tensor) -> Tensor:
        return torch.where(self.alive.unsqueeze(1), new, old)

    def _losses(self, weights: Tensor, z: Tensor, rate: Tensor) -> Float[Tensor, " R"]:
        return rate_error(rates(self.together, self.layout.views(weights), z), rate, self.training.reduction)

    def evaluate(self, pairs: Pairs) -> Float[Tensor, " R"]:
        """The loss of each network on other data."""
        total = torch.zeros(len(self.weights), dtype=torch.float64, device=self.weights.device)
        with torch.no_grad():
            for z, rate in zip(pairs.z.split(ROWS), pairs.rate.split(ROWS), strict=True):
                stacked = z.expand(len(self.weights), -1, -1)
                total += len(z) * self._losses(self.weights, stacked, rate)
        return (total / len(pairs)).to(self.weights.dtype)

    def load(self, weights: Float[Tensor, "R P"]) -> None:
        """Take other weights."""
        self.weights = weights

    def hand_back(self, models: Sequence[Model]) -> None:
        """Write the weights into the networks they came from."""
        with torch.no_grad():
            for name, weights in self.layout.views(self.weights).items():
                for k, model in enumerate(models):
                    model.get_parameter(name).copy_(weights[k])
