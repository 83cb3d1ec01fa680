"""Trials of activations: networks train with them from scratch, and are tested on held-out pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metalearning.examination import PAIRS
from physlearn.metalearning.inner import InnerLoop, draw_batches
from physlearn.metalearning.neurons import SplineGrid
from physlearn.metalearning.search_settings import SearchSettings
from physlearn.metalearning.trainer import Trainer
from physlearn.tasks import Task
from physlearn.threads import suited_to
from physlearn.training import optimizers
from physlearn.training.train_settings import cosine

MEMORY = 2**27  # bytes of the batches of the networks that train together
APART = 10**7  # distance between the seeds of the networks of successive meta-seeds


class Trials:
    """Score activations by the mean log held-out loss of networks that train with them.

    Every score comes from new networks, and all activations that are scored together have the same ones. The scores follow
    from the seed alone; those that are already known, from a run that was stopped, are not computed again.

    Parameters
    ----------
    task
        What the networks learn: the meta-training pairs, and the loss on the meta-validation pairs.
    settings
        Settings of the search.
    seed
        The meta-seed.
    known
        Scores of an earlier run with the same settings and seed, in order.
    told : callable
        Is called after each scoring with the number of networks.
    """

    def __init__(
        self,
        task: Task,
        settings: SearchSettings,
        seed: int,
        known: Sequence[Sequence[float]] = (),
        told: Callable[[int], object] = lambda networks: None,
    ) -> None:
        self.settings, self.told = settings, told
        self.log = [list(scores) for scores in known]
        self.grid = SplineGrid(settings.points, settings.interval, task.dtype, torch.device(task.device))
        self.pairs, self.held_out = task.pairs("meta-training"), task.pairs("meta-validation").first(PAIRS)
        self.model = task.network("sine")
        self.model.standardize(self.pairs.z, self.pairs.target)
        self.reduction = task.training.reduction
        self.network_steps = 0
        self._wide = max(task.hidden) * settings.batch_size
        self._trainers: dict[int, Trainer] = {}
        self._calls, self._next = 0, APART * seed

    def score(
        self, values: Float[Tensor, "C types points"], rates: Sequence[float], steps: int, networks: int
    ) -> Float[Tensor, " C"]:
        """Return the mean log loss of as many networks for each of C activations, each at its learning rate.

        It is infinite if a network diverges.
        """
        count = len(values) * networks
        self.network_steps += count * steps
        first, self._next = self._next, self._next + networks
        if self._calls == len(self.log):
            self.log.append(self._computed(values, rates, steps, range(first, first + networks)).tolist())
        self._calls += 1
        self.told(count)
        return torch.tensor(self.log[self._calls - 1], dtype=torch.float64)

    def _computed(self, values: Tensor, rates: Sequence[float], steps: int, seeds: Sequence[int]) -> Float[Tensor, " C"]:
        trainer, drawn, batches = self._trainer(steps), [], []
        for seed in seeds:
            generator = torch.Generator().manual_seed(seed)
            drawn.append(trainer.inner.layout.draw(1, generator, self.pairs.z.dtype))
            batches.append(draw_batches(len(self.pairs), 1, steps, self.settings.batch_size, generator))
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
