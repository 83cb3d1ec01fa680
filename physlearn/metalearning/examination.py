"""What curves are worth: the same networks trained anew with them, again and again, and tried on held-out pairs."""

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

NETWORKS = 16  # at most, for each meta-seed
PAIRS = 1000  # held-out ones, at most
APART = 1 << 40  # between the seeds of the outer loop and of its examinations


class Examination:
    """Trains a few networks for each of M meta-seeds, always from the same weights in the same batches.

    What an outer step's own networks lose depends on their luck, and in a pool on their ages: two steps do not compare, nor do
    two variants. Examinations do.
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
        """The mean log loss on the held-out pairs after training; infinite where a network diverged."""
        weights, rates, batches = self.start
        every = curves.detach().repeat_interleave(self.each, 0)
        _, trained = self.trainer.train(every, weights, rates, batches)
        losses = self.trainer.inner.losses_on(trained, every, self.held_out).log()
        mean = losses.unflatten(0, (-1, self.each)).mean(1)
        return mean.where(mean.isfinite(), math.inf)
