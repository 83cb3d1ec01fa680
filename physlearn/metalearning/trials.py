"""The trials of a search: activations are scored, on one task or on several, and scores are kept for a run that resumes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metalearning.search_settings import SearchSettings
from physlearn.metalearning.trial import Trial
from physlearn.tasks import Task

APART = 10**7  # distance between the seeds of the networks of successive meta-seeds
LIMIT = math.log(10)  # largest difference of log losses that one task of several can contribute


class Trials:
    """Score activations by the mean log held-out loss of networks that train with them.

    Every score comes from new networks, and all activations that are scored together have the same ones. The scores follow
    from the seed alone; those that are already known, from a run that was stopped, are not computed again.

    Parameters
    ----------
    tasks
        What the networks learn. If there are several tasks, the score is the mean over the tasks of the log loss, relative
        to the median of the activations that are scored together; a factor of more than ten on one task counts as ten, so
        that no task decides alone.
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
        tasks: Sequence[Task],
        settings: SearchSettings,
        seed: int,
        known: Sequence[Sequence[float]] = (),
        told: Callable[[int], object] = lambda networks: None,
    ) -> None:
        self.settings, self.told = settings, told
        self.log = [list(scores) for scores in known]
        self.network_steps = 0
        self._trials = [Trial(task, settings.points, settings.interval, settings.batch_size) for task in tasks]
        self._calls, self._next = 0, APART * seed

    def score(
        self, values: Float[Tensor, "C types points"], rates: Sequence[float], steps: int, networks: int
    ) -> Float[Tensor, " C"]:
        """Return the score of each of C activations, at its learning rate, by as many networks on each task.

        On a single task, it is the mean log loss, and infinite if a network diverges.
        """
        count = len(values) * networks * len(self._trials)
        self.network_steps += count * steps
        first, self._next = self._next, self._next + networks
        if self._calls == len(self.log):
            self.log.append(self._computed(values, rates, steps, range(first, first + networks)).tolist())
        self._calls += 1
        self.told(count)
        return torch.tensor(self.log[self._calls - 1], dtype=torch.float64)

    def _computed(self, values: Tensor, rates: Sequence[float], steps: int, seeds: Sequence[int]) -> Float[Tensor, " C"]:
        return together(torch.stack([trial.losses(values, rates, steps, seeds) for trial in self._trials]))


def together(losses: Float[Tensor, "tasks C"]) -> Float[Tensor, " C"]:
    """Return one score from the mean log losses of each task, which are infinite where networks diverged.

    >>> together(torch.tensor([[-1.0, 0.0, 30.0], [-5.0, -4.5, -4.0]])).tolist()
    [-0.75, 0.0, 1.4012925624847412]
    """
    if len(losses) == 1:
        return losses[0]
    relative = losses - losses.nan_to_num(posinf=torch.finfo(losses.dtype).max).median(1, keepdim=True).values
    return relative.clamp(-LIMIT, LIMIT).mean(0)
