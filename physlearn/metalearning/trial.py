"""A trial of activations on one task: networks train with them from scratch, and are tested on held-out pairs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metalearning.examination import PAIRS
from physlearn.metalearning.inner import InnerLoop, draw_batches
from physlearn.metalearning.neurons import SplineGrid
from physlearn.metalearning.trainer import Trainer
from physlearn.tasks import Task
from physlearn.threads import suited_to
from physlearn.training import optimizers
from physlearn.training.train_settings import cosine

MEMORY = 2**27  # bytes of the batches of the networks that train together


class Trial:
    """Train networks with activations on a task, and measure their loss on the meta-validation pairs.

    Parameters
    ----------
    task
        What the networks learn: the meta-training pairs.
    points, interval
        Grid on which activations are given.
    batch_size
        Number of pairs per step.
    """

    def __init__(self, task: Task, points: int, interval: tuple[float, float], batch_size: int) -> None:
        self.batch_size = batch_size
        self.grid = SplineGrid(points, interval, task.dtype, torch.device(task.device))
        self.pairs, self.held_out = task.pairs("meta-training"), task.pairs("meta-validation").first(PAIRS)
        self.model = task.network("sine")
        self.model.standardize(self.pairs.z, self.pairs.target)
        self.reduction = task.training.reduction
        self._wide = max(task.hidden) * batch_size
        self._trainers: dict[int, Trainer] = {}

    def losses(
        self, values: Float[Tensor, "C types points"], rates: Sequence[float], steps: int, seeds: Sequence[int]
    ) -> Float[Tensor, " C"]:
        """Return the mean log loss of the networks of these seeds with each of C activations, each at its learning rate.

        It is infinite if a network diverges.
        """
        trainer, drawn, batches = self._trainer(steps), [], []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            drawn.append(trainer.inner.layout.draw(1, generator, self.pairs.z.dtype))
            batches.append(draw_batches(len(self.pairs), 1, steps, self.batch_size, generator))
        weights, orders = torch.cat(drawn), torch.cat(batches)
        each = max(1, MEMORY // (8 * orders[0].numel() * len(seeds)))
        found = []
        for some, own in zip(values.split(each), torch.tensor(rates).split(each), strict=True):
            with suited_to(len(some) * len(seeds) * self._wide):
                found.append(self._trained(trainer, some, own, weights, orders))
        return torch.cat(found)

    def _trained(self, trainer: Trainer, values: Tensor, rates: Tensor, weights: Tensor, orders: Tensor) -> Tensor:
        many, networks = len(values), len(weights)
        curves = self.grid.coefficients(values.to(self.grid.x)).repeat_interleave(networks, 0)
        own = rates.to(curves).repeat_interleave(networks).unsqueeze(1)
        everyone = weights.to(curves).repeat(many, 1), own, orders.to(curves.device).repeat(many, 1, 1)
        _, trained = trainer.train(curves, *everyone)
        losses = trainer.inner.losses_on(trained, curves, self.held_out).double()
        losses = losses.clamp(min=torch.finfo(curves.dtype).tiny).log().unflatten(0, (many, networks))
        return losses.mean(1).where(losses.isfinite().all(1), torch.inf).cpu()

    def _trainer(self, steps: int) -> Trainer:
        if steps not in self._trainers:
            falling = torch.tensor([cosine(step, steps) for step in range(steps)]).to(self.grid.x)
            optimizer = optimizers.find("adam")
            inner = InnerLoop(self.model, self.pairs, self.grid.grid, optimizer, self.reduction, falling=falling)
            self._trainers[steps] = Trainer(inner, self.model)
        return self._trainers[steps]
