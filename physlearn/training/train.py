"""The training loop of one model."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from numbers import Integral
from typing import Literal

import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from physlearn.models import Learner
from physlearn.threads import suited_to
from physlearn.training import optimizers
from physlearn.training.loss import Reduction, loss_of
from physlearn.training.pairs import Pairs
from systems import InputError, IntegrationError


@dataclass(frozen=True)
class Training:
    """How a model is trained: over shuffled batches.

    optimizer: ``"adam"``, ``"rmsprop"``, ``"momentum"`` (0.9) or ``"sgd"``, otherwise with torch's defaults. clip: the
    longest gradient, as a norm over all weights (None: any). schedule: ``"cosine"`` lets the learning rate fall to zero over
    all steps, ``"constant"`` keeps it. patience: stop after that many epochs without a better validation loss (None: never).
    Whenever there is validation data, the weights of the best epoch are kept.
    """

    epochs: int = 200
    batch_size: int = 100
    learning_rate: float = 5e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    patience: int | None = None
    reduction: Reduction = "mean"
    optimizer: str = "adam"
    clip: float | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be positive, not {getattr(self, name)}")
        for name in ("epochs", "batch_size"):
            if not isinstance(getattr(self, name), Integral):
                raise InputError(f"{name} must be a whole number, not {getattr(self, name)}")
        if self.schedule not in ("cosine", "constant"):
            raise InputError(f"schedule must be 'cosine' or 'constant', not {self.schedule!r}")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least 1 epoch, not {self.patience}")
        if self.clip is not None and not self.clip > 0:
            raise InputError(f"clip must be positive, not {self.clip}")
        optimizers.find(self.optimizer)

    def rate_at(self, step: int, steps: int) -> float:
        """The learning rate at that step of so many, in units of the first."""
        return cosine(step, steps) if self.schedule == "cosine" else 1.0


def cosine(step: int, steps: int) -> float:
    """From one to zero over so many steps, slowly at both ends."""
    return (1 + math.cos(math.pi * step / steps)) / 2


def train(
    model: Learner, pairs: Pairs, validation: Pairs | None, training: Training, seed: int = 0, progress: bool = True
) -> pd.DataFrame:
    """Train the model in place; its scales are taken from the training pairs.

    The seed orders the batches. Gives a row an epoch: ``training`` (mean loss over its batches), ``validation``,
    ``learning_rate``. Raises IntegrationError where the loss stops being finite: the learning rate is too high.
    """
    model.standardize(pairs.z, pairs.target)
    widest = max(parameter.shape[0] for parameter in model.parameters())
    with suited_to(training.batch_size * widest):
        return _train(model, pairs, validation, training, seed, progress)


def diverged(epoch: int) -> IntegrationError:
    """What to raise of a training whose loss was not finite in that epoch."""
    return IntegrationError(f"the loss is not finite in epoch {epoch}: lower learning_rate")


def _train(
    model: Learner, pairs: Pairs, validation: Pairs | None, training: Training, seed: int, progress: bool
) -> pd.DataFrame:
    batches = math.ceil(len(pairs) / training.batch_size)
    optimizer = optimizers.for_torch(training.optimizer, list(model.parameters()), training.learning_rate)
    total = training.epochs * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: training.rate_at(step, total))
    shuffle = torch.Generator().manual_seed(seed)
    history: list[dict[str, float]] = []
    best, best_epoch, best_weights = math.inf, -1, None
    bar = tqdm(range(training.epochs), disable=not progress, desc=f"training {model.name}", unit="epoch", leave=False)
    for epoch in bar:
        row = {"learning_rate": float(schedule.get_last_lr()[0])}
        losses = []
        for batch in torch.randperm(len(pairs), generator=shuffle).to(pairs.z.device).split(training.batch_size):
            optimizer.zero_grad()
            loss = loss_of(model, model(pairs.z[batch]), pairs.target[batch], training.reduction)
            loss.backward()
            if training.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), training.clip)
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
        row["training"] = float(torch.stack(losses).mean())
        if not math.isfinite(row["training"]):
            raise diverged(epoch)
        if validation is not None:
            with torch.no_grad():
                row["validation"] = float(loss_of(model, model(validation.z), validation.target, training.reduction))
            if row["validation"] < best:
                best, best_epoch, best_weights = row["validation"], epoch, copy.deepcopy(model.state_dict())
        history.append(row)
        bar.set_postfix({name: f"{value:.2e}" for name, value in row.items() if name != "learning_rate"})
        if training.patience is not None and validation is not None and epoch - best_epoch >= training.patience:
            break
    if best_weights is not None:
        model.load_state_dict(best_weights)
    return pd.DataFrame(history).rename_axis("epoch")
