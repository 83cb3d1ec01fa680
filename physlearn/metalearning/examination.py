"""Evaluate curves by training the same networks from scratch each time, and testing them on held-out pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metalearning.inner import draw_batches, draw_rates
from physlearn.metalearning.settings import MetaLearning
from physlearn.metalearning.trainer import Trainer
from physlearn.training import Pairs

NETWORKS = 16  # maximum number per meta-seed
PAIRS = 1000  # maximum number of held-out pairs
APART = 1 << 40  # offset between the seeds of the outer loop and those of its examinations


class Examination:
    """Train a few networks for each of M meta-seeds, always from the same weights and in the same batches.

    The losses of the networks of an outer step vary with their random weights, and in a pool with their ages, so they cannot
    be compared between two steps or two variants. The losses of examinations can.
    """

    def __init__(self, trainer: Trainer, held_out: Pairs, settings: MetaLearning, seeds: Sequence[int]) -> None:
        self.trainer = trainer
        self.each = min(settings.networks, NETWORKS)
        self.held_out = held_out.first(PAIRS)
        steps = settings.inner_steps if settings.pool is None else round(math.sqrt(math.prod(settings.pool)))
        pairs = trainer.inner.pairs
        weights, rates, batches = [], [], []
        for seed in seeds:
            generator = torch.Generator().manual_seed(APART + seed)
            weights.append(trainer.inner.layout.draw(self.each, generator, pairs.z.dtype))
            rates.append(draw_rates(*settings.rates, self.each, generator).to(pairs.z.dtype))
            batches.append(draw_batches(len(pairs), self.each, steps, settings.batch_size, generator))
        self.start = tuple(torch.cat(parts).to(pairs.z.device) for parts in (weights, rates, batches))

    def log_loss(self, curves: Float[Tensor, "M types cells 4"]) -> Float[Tensor, " M"]:
        """Return the mean log loss on the held-out pairs after training; infinite if a network diverged."""
        weights, rates, batches = self.start
        every = curves.detach().repeat_interleave(self.each, 0)
        _, trained = self.trainer.train(every, weights, rates, batches)
        losses = self.trainer.inner.losses_on(trained, every, self.held_out).log()
        mean = losses.unflatten(0, (-1, self.each)).mean(1)
        return mean.where(mean.isfinite(), math.inf)
