"""The engine that trains stacks of networks of any model and depth with torch, on any device."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.models import Learner
from physlearn.models.stack import Weights, outputs, stack
from physlearn.threads import SMALL, suited_to
from physlearn.training.cuda_graph import Captured
from physlearn.training.loss import Counting
from physlearn.training.optimizers import Count, clipped, find
from physlearn.training.pairs import Pairs
from physlearn.training.train_settings import Training

ROWS = 2_000  # number of samples that are evaluated at once


class TorchEngine:
    """R networks of one shape with stacked weights; each has its own batches and optimizer state.

    On a CPU with several threads, each thread trains its own share of the networks: threads that shared every operation would
    wait for each other at each one, which takes many times as long on a busy machine. On a GPU, one step per batch size is
    captured and replayed.

    If the loss or gradient of a network is not finite, ``alive`` is False from that step on and its weights no longer change;
    the other networks are not affected.
    """

    name = "torch"

    def __init__(self, models: Sequence[Learner], pairs: Pairs, training: Training) -> None:
        elements = len(models) * training.batch_size * max(max(parameter.shape) for parameter in models[0].parameters())
        on_cpu = pairs.z.device.type == "cpu"
        parts = min(len(models), torch.get_num_threads()) if on_cpu and elements > SMALL else 1
        bounds = [round(k * len(models) / parts) for k in range(parts + 1)]
        self.parts = [_Part(models[a:b], pairs, training) for a, b in pairwise(bounds)]
        self.sizes = [b - a for a, b in pairwise(bounds)]
        self.work = elements if parts == 1 else 0  # several parts have one thread each and need no threads of torch

    def epoch(self, order: Int[Tensor, "R n"], learning_rates: Float[Tensor, "R steps"]) -> Float[Tensor, "R steps parts"]:
        """Take one step per batch in the given order, and return the parts of the losses before each step."""
        shares = zip(self.parts, order.split(self.sizes), learning_rates.split(self.sizes), strict=True)
        with suited_to(self.work), ThreadPoolExecutor(len(self.parts)) as pool:
            if len(self.parts) == 1:
                return torch.cat([part.epoch(*share) for part, *share in shares])
            return torch.cat(list(pool.map(lambda share: share[0].epoch(*share[1:]), shares)))

    @property
    def weights(self) -> Float[Tensor, "R P"]:
        """The weights of all networks."""
        return torch.cat([part.weights.detach() for part in self.parts])

    @property
    def alive(self) -> Bool[Tensor, " R"]:
        """Which networks have not diverged."""
        return torch.cat([part.alive for part in self.parts])

    def evaluate(self, pairs: Pairs) -> Float[Tensor, "R parts"]:
        """Return the parts of the loss of each network on other data."""
        return torch.cat([part.evaluate(pairs) for part in self.parts])

    def load(self, weights: Float[Tensor, "R P"]) -> None:
        """Replace the weights."""
        for part, own in zip(self.parts, weights.split(self.sizes), strict=True):
            part.weights.detach().copy_(own)

    def hand_back(self, models: Sequence[Learner]) -> None:
        """Copy the weights into the models."""
        with torch.no_grad():
            for name, weights in self.parts[0].layout.views(self.weights).items():
                for k, model in enumerate(models):
                    model.get_parameter(name).copy_(weights[k])


class _Part:
    """The networks that one thread trains."""

    def __init__(self, models: Sequence[Learner], pairs: Pairs, training: Training) -> None:
        self.pairs, self.training = pairs, training
        self.counting = Counting.of(pairs, training.reduction, weighted=training.weighted)
        self.together = stack(models).requires_grad_(False)
        self.layout = Weights(self.together)
        self.weights: Float[Tensor, "R P"] = self.layout.flatten(self.together)
        self.optimizer = find(training.optimizer)
        self.state = self.optimizer.start(self.weights)
        self.alive: Bool[Tensor, " R"] = torch.ones(len(models), dtype=torch.bool, device=self.weights.device)
        self.on_gpu = self.weights.is_cuda
        self.count: Count = torch.zeros(1, 1, dtype=torch.long, device=self.weights.device) if self.on_gpu else 0
        self.captured: dict[int, tuple[Tensor, Tensor, Captured]] = {}

    def epoch(self, order: Int[Tensor, "R n"], learning_rates: Float[Tensor, "R steps"]) -> Float[Tensor, "R steps parts"]:
        """Take one step per batch in the given order."""
        step = self._replayed if self.on_gpu else self._step
        batches = order.split(self.training.batch_size, dim=1)
        with torch.enable_grad():  # a new thread has its own autograd mode
            losses = [step(batch, rate) for batch, rate in zip(batches, learning_rates.split(1, dim=1), strict=True)]
        return torch.stack(losses, dim=1)

    def _replayed(self, batch: Int[Tensor, "R B"], learning_rate: Float[Tensor, "R 1"]) -> Float[Tensor, "R parts"]:
        size = batch.shape[1]
        if size not in self.captured:
            given = batch.clone(), learning_rate.clone()
            changed = (self.weights, *self.state, self.alive, self.count)
            self.captured[size] = (*given, Captured(lambda: self._step(*given), changed))  # type: ignore[arg-type]
        own_batch, own_rate, step = self.captured[size]
        own_batch.copy_(batch)
        own_rate.copy_(learning_rate)
        return step().clone()

    def _step(self, batch: Int[Tensor, "R B"], learning_rate: Float[Tensor, "R 1"]) -> Float[Tensor, "R parts"]:
        """Take one step in place, and return the parts of the losses before it."""
        self.count += 1
        weights = self.weights.requires_grad_()
        parts = self._parts(weights, self.pairs.z[batch], self.pairs.target[batch])
        (gradient,) = torch.autograd.grad(parts.sum(), weights)
        with torch.no_grad():
            if self.training.clip is not None:
                gradient = clipped(gradient, self.training.clip)
            self.alive &= parts.sum(1).isfinite() & gradient.sum(1).isfinite()  # NaN and infinity both spread to a sum
            everyone = not self.on_gpu and bool(self.alive.all())  # on a GPU, the query would synchronise at each step
            before = weights.detach()
            if self.training.weight_decay:
                before = before * (1 - self.training.weight_decay * learning_rate)
            weights, state = self.optimizer.step(before, gradient, self.state, learning_rate, self.count)
            for old, new in zip((self.weights, *self.state), (weights, *state), strict=True):
                old.copy_(new if everyone else torch.where(self.alive.unsqueeze(1), new, old))
        return parts.detach().where(self.alive.unsqueeze(1), torch.nan)

    def _parts(self, weights: Tensor, z: Tensor, target: Tensor) -> Float[Tensor, "R parts"]:
        return self.counting.parts(self.together, outputs(self.together, self.layout.views(weights), z), target)

    def evaluate(self, pairs: Pairs) -> Float[Tensor, "R parts"]:
        """Return the parts of the loss of each network on other data."""
        total = torch.zeros(len(self.weights), 1, dtype=torch.float64, device=self.weights.device)
        with torch.no_grad():
            for z, target in zip(pairs.z.split(ROWS), pairs.target.split(ROWS), strict=True):
                stacked = z.expand(len(self.weights), -1, -1)
                total = total + len(z) * self._parts(self.weights, stacked, target)
        return (total / len(pairs)).to(self.weights.dtype)
