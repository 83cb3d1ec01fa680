"""The course of a training: whether it resumes an earlier one, who watches it, and a loss of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from physlearn.models import Learner
from physlearn.training.loss import Counting, RateLoss
from physlearn.training.pairs import Pairs
from physlearn.training.train_settings import Training

Watch = Callable[[Mapping[str, float], Sequence[Learner]], bool]


@dataclass(frozen=True)
class Course:
    """How a training begins, who watches it, and by which loss it compares rates.

    Parameters
    ----------
    earlier
        Number of epochs of the training that it resumes: the scales of the model are kept, and the batches continue in the
        order in which a longer training would have drawn them. None for a new training.
    watch
        Called after each epoch with the entries of the history and the networks, which have their present weights. The
        training ends if it returns True.
    loss
        A loss of the user's own, which replaces the mean squared error.
    """

    earlier: int | None = None
    watch: Watch | None = None
    loss: RateLoss | None = None

    def counting(self, pairs: Pairs, training: Training) -> Counting:
        """Return the weights of errors for these training pairs."""
        return Counting.of(pairs, training.reduction, weighted=training.weighted, loss=self.loss)

    def skip(self, samples: Sized, shuffle: torch.Generator) -> None:
        """Draw the batches of the earlier epochs, which are not used."""
        for _ in range(self.earlier or 0):
            shuffled(samples, shuffle)

    def ended_by(self, row: Mapping[str, float], networks: Sequence[Learner]) -> bool:
        """Return whether the training ends after this epoch."""
        return self.watch is not None and self.watch(row, networks)


NEW = Course()


def shuffled(samples: Sized, shuffle: torch.Generator) -> Int[Tensor, " n"]:
    """Return the rows of the samples in random order."""
    return torch.randperm(len(samples), generator=shuffle)
