"""The training loop of one model."""

from __future__ import annotations

import copy
import math

import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from physlearn.models import Learner
from physlearn.threads import suited_to
from physlearn.training import optimizers
from physlearn.training.course import NEW, Course, shuffled
from physlearn.training.pairs import Pairs
from physlearn.training.train_settings import Training
from systems import InputError, IntegrationError
from systems.autograd_mode import recorded
from systems.scalars import seeded


def train(
    model: Learner,
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    seed: int = 0,
    progress: bool = True,
    course: Course = NEW,
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
    course
        Whether the training resumes an earlier one, who watches it, and a loss of the user's own.

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
        prepare(model, pairs, course)
        widest = max(max(parameter.shape[:1], default=1) for parameter in model.parameters())
        with suited_to(training.batch_size * widest):
            return _train(model, pairs, validation, training, seed, progress, course)


def prepare(model: Learner, pairs: Pairs, course: Course = NEW) -> None:
    """Take the scales of the model from the pairs, unless it resumes a training.

    Raises InputError if they overflow, or the weights of the model cannot be trained.
    """
    if any(parameter.is_inference() for parameter in model.parameters()):
        raise InputError(f"the model {model.name} was built in torch.inference_mode(), so it cannot train: build it outside")
    if course.earlier is not None:
        return
    model.standardize(pairs.z, pairs.target)
    if not all(torch.isfinite(buffer).all() for buffer in model.buffers()):
        raise InputError(
            f"the scales of the training data overflow {pairs.z.dtype}: give the data in other units or train in float64"
        )


def decay(model: nn.Module, share: float) -> None:
    """Decrease all weights by a share of theirs, which is the decoupled weight decay of AdamW."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 - share)


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
    model: Learner,
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    seed: int,
    progress: bool,
    course: Course,
) -> pd.DataFrame:
    batches = math.ceil(len(pairs) / training.batch_size)
    optimizer = optimizers.for_torch(training.optimizer, list(model.parameters()), training.learning_rate)
    total = training.epochs * batches
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: training.learning_rate_at(step, total))
    shuffle = seeded(seed)
    course.skip(pairs, shuffle)
    counting = course.counting(pairs, training)
    history: list[dict[str, float]] = []
    best, best_epoch, best_weights = math.inf, -1, None

    def validated() -> dict[str, float]:
        assert validation is not None
        with torch.no_grad():
            return counting.told("validation", counting.parts(model, model(validation.z), validation.target))

    if course.earlier is not None and validation is not None:
        best, best_weights = validated()["validation"], copy.deepcopy(model.state_dict())
    bar = tqdm(range(training.epochs), disable=not progress, desc=f"training {model.name}", unit="epoch", leave=False)
    for epoch in bar:
        history.append(row := {"learning_rate": float(schedule.get_last_lr()[0])})
        losses = []
        for batch in shuffled(pairs, shuffle).to(pairs.z.device).split(training.batch_size):
            optimizer.zero_grad()
            parts = counting.parts(model, model(pairs.z[batch]), pairs.target[batch])
            parts.sum().backward()
            if training.clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), training.clip)
            if training.weight_decay:
                decay(model, training.weight_decay * float(schedule.get_last_lr()[0]))
            optimizer.step()
            schedule.step()
            losses.append(parts.detach())
        row |= counting.told("training", torch.stack(losses))
        if not math.isfinite(row["training"]):
            raise diverged(epoch)
        if validation is not None:
            row |= validated()
            if row["validation"] < best:
                best, best_epoch, best_weights = row["validation"], epoch, copy.deepcopy(model.state_dict())
        bar.set_postfix({name: f"{value:.2e}" for name, value in row.items() if name != "learning_rate"})
        if course.ended_by(row, [model]):
            break
        if training.patience is not None and validation is not None and epoch - best_epoch >= training.patience:
            break
    if validation is not None:
        check_validation(best)
    if best_weights is not None:
        model.load_state_dict(best_weights)
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise diverged(len(history) - 1)
    return pd.DataFrame(history).rename_axis("epoch")
