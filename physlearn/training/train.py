"""The settings of a training, and the training loop of one model."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from physlearn.models import Learner
from physlearn.threads import suited_to
from physlearn.training import optimizers
from physlearn.training.loss import Counting, Reduction
from physlearn.training.pairs import Pairs
from systems import InputError, IntegrationError
from systems.autograd_mode import recorded
from systems.deprecation import renamed_attribute
from systems.scalars import real, seeded, whole


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

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if name != "patience" or self.patience is not None:
                object.__setattr__(self, name, whole(name, getattr(self, name)))
        for name in ("learning_rate", "clip"):
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


def train(
    model: Learner, pairs: Pairs, validation: Pairs | None, training: Training, seed: int = 0, progress: bool = True
) -> pd.DataFrame:
    """Train a model in place, after taking its scales from the training pairs.

    The caller's autograd mode does not matter.

    Parameters
    ----------
    model
        Model to train.
    pairs
        Training data.
    validation
        Data on which the weights of the best epoch are chosen. Without them, the last weights are kept.
    training
        Settings of the training.
    seed
        Random seed of the order of the batches.
    progress
        Whether to show a progress bar.

    Returns
    -------
    DataFrame, one row per epoch
        ``learning_rate``, ``training`` (the mean loss over the batches of the epoch) and ``validation`` (the loss after the
        epoch). If the pairs have a ``unit`` or the loss is weighted, also ``training_physical`` and ``validation_physical``,
        the unweighted losses in the units of the data.

    Raises
    ------
    InputError
        If the scales of the data overflow their type, or the model was built in torch's inference mode.
    IntegrationError
        If the loss or the weights are no longer finite.
    """
    with recorded():
        prepare(model, pairs)
        widest = max(parameter.shape[0] for parameter in model.parameters())
        with suited_to(training.batch_size * widest):
            return _train(model, pairs, validation, training, seed, progress)


def prepare(model: Learner, pairs: Pairs) -> None:
    """Take the scales of the model from the pairs.

    Raises InputError if they overflow, or the weights of the model cannot be trained.
    """
    if any(parameter.is_inference() for parameter in model.parameters()):
        raise InputError(f"the model {model.name} was built in torch.inference_mode(), so it cannot train: build it outside")
    model.standardize(pairs.z, pairs.target)
    if not all(torch.isfinite(buffer).all() for buffer in model.buffers()):
        raise InputError(
            f"the scales of the training data overflow {pairs.z.dtype}: give the data in other units or train in float64"
        )


def check_validation(best: float) -> None:
    """Raise InputError if no epoch had a finite validation loss although the training loss is finite."""
    if not math.isfinite(best):
        raise InputError(
            "the validation loss is not finite in any epoch, because the validation data are too far from the training data: "
            "give validation data that resemble them"
        )


def diverged(epoch: int) -> IntegrationError:
    """Return the error to raise if the loss of a training is not finite in that epoch."""
    return IntegrationError(f"the loss is not finite in epoch {epoch}: lower learning_rate")


def _train(
    model: Learner, pairs: Pairs, validation: Pairs | None, training: Training, seed: int, progress: bool
) -> pd.DataFrame:
    batches = math.ceil(len(pairs) / training.batch_size)
    optimizer = optimizers.for_torch(training.optimizer, list(model.parameters()), training.learning_rate)
    total = training.epochs * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: training.learning_rate_at(step, total))
    shuffle = seeded(seed)
    counting = Counting.of(pairs, training.reduction, weighted=training.weighted)
    history: list[dict[str, float]] = []
    best, best_epoch, best_weights = math.inf, -1, None
    bar = tqdm(range(training.epochs), disable=not progress, desc=f"training {model.name}", unit="epoch", leave=False)
    for epoch in bar:
        history.append(row := {"learning_rate": float(schedule.get_last_lr()[0])})
        losses = []
        for batch in torch.randperm(len(pairs), generator=shuffle).to(pairs.z.device).split(training.batch_size):
            optimizer.zero_grad()
            parts = counting.parts(model, model(pairs.z[batch]), pairs.target[batch])
            parts.sum().backward()
            if training.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), training.clip)
            optimizer.step()
            schedule.step()
            losses.append(parts.detach())
        row |= counting.told("training", torch.stack(losses))
        if not math.isfinite(row["training"]):
            raise diverged(epoch)
        if validation is not None:
            with torch.no_grad():
                row |= counting.told("validation", counting.parts(model, model(validation.z), validation.target))
            if row["validation"] < best:
                best, best_epoch, best_weights = row["validation"], epoch, copy.deepcopy(model.state_dict())
        bar.set_postfix({name: f"{value:.2e}" for name, value in row.items() if name != "learning_rate"})
        if training.patience is not None and validation is not None and epoch - best_epoch >= training.patience:
            break
    if validation is not None:
        check_validation(best)
    if best_weights is not None:
        model.load_state_dict(best_weights)
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise diverged(len(history) - 1)
    return pd.DataFrame(history).rename_axis("epoch")
