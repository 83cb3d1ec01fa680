"""The settings of a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from physlearn.training import optimizers
from physlearn.training.loss import Reduction
from systems import InputError
from systems.deprecation import renamed_attribute
from systems.scalars import real, whole


@dataclass(frozen=True)
class Training:
    """Settings of a training on shuffled batches.

    With validation data, the weights of the epoch with the smallest validation loss are kept.

    Parameters
    ----------
    epochs, batch_size
        Number of passes over the data, and number of samples per step.
    learning_rate
        Initial learning rate.
    schedule
        ``"cosine"`` decreases the learning rate to zero over all steps, ``"constant"`` keeps it.
    patience
        Number of epochs without a smaller validation loss after which training stops. By default, it never stops early.
    reduction
        ``"mean"`` or ``"sum"`` over the components of dz/dt.
    optimizer
        ``"adam"``, ``"rmsprop"``, ``"momentum"`` (0.9) or ``"sgd"``, otherwise with torch's defaults.
    clip
        Largest norm of the gradient over all weights; longer gradients are scaled down. By default, none is.
    weighted
        Whether to measure the error of each component of dz/dt in units of the spread of that rate over the training data, so
        that every coordinate contributes, whatever its units. Defaults to False, as in the paper.
    weight_decay
        Share of the weights, times the learning rate, by which they decrease at each step (decoupled, as in AdamW). Defaults
        to 0.

    Raises
    ------
    InputError
        If a setting has the wrong type or is out of range; the message names it.
    """

    epochs: int = 200
    batch_size: int = 100
    learning_rate: float = 5e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    patience: int | None = None
    reduction: Reduction = "mean"
    optimizer: str = "adam"
    clip: float | None = None
    weighted: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if name != "patience" or self.patience is not None:
                object.__setattr__(self, name, whole(name, getattr(self, name)))
        for name in ("learning_rate", "clip", "weight_decay"):
            if name != "clip" or self.clip is not None:
                object.__setattr__(self, name, real(name, getattr(self, name)))
        object.__setattr__(self, "weighted", bool(self.weighted))
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be positive, not {getattr(self, name)}")
        if self.schedule not in ("cosine", "constant"):
            raise InputError(f"schedule must be 'cosine' or 'constant', not {self.schedule!r}")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least 1 epoch, not {self.patience}")
        if self.clip is not None and not self.clip > 0:
            raise InputError(f"clip must be positive, not {self.clip}")
        if not self.weight_decay >= 0 or self.weight_decay * self.learning_rate >= 1:
            raise InputError(
                f"weight_decay must be at least 0 and less than 1 / learning_rate = {1 / self.learning_rate:g}, "
                f"not {self.weight_decay:g}"
            )
        optimizers.find(self.optimizer)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate at a step, relative to the initial one.

        Parameters
        ----------
        step
            Index of the step, from 0.
        steps
            Number of steps of the whole training.

        Returns
        -------
        float
            Factor between 0 and 1.
        """
        return cosine(step, steps) if self.schedule == "cosine" else 1.0

    rate_at = renamed_attribute("learning_rate_at")


def cosine(step: int, steps: int) -> float:
    """Return the cosine schedule, which decreases from 1 to 0 over the steps and is flat at both ends."""
    return (1 + math.cos(math.pi * step / steps)) / 2
