"""Training on a loss of states: stochastic steps, then a polish by a quasi-Newton method, both in double precision."""

from __future__ import annotations

import copy
import math

import pandas as pd
import torch
from torch import nn
from tqdm.auto import tqdm

from physlearn.threads import suited_to
from physlearn.training import quasi_newton
from physlearn.training.course import NEW, Course, shuffled
from physlearn.training.state_losses import StateLoss
from physlearn.training.train import decay
from physlearn.training.train_settings import cosine
from systems import IntegrationError
from systems.scalars import seeded

MOST = 2000  # windows of the polish, which uses all of them at each step


def refine(
    loss: StateLoss,
    validation: StateLoss | None,
    *,
    epochs: int,
    polish: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    progress: bool,
    clip: float = 1.0,
    weight_decay: float = 0.0,
    course: Course = NEW,
) -> pd.DataFrame:
    """Train the model of a loss in place.

    The model must be in float64. With validation data, the weights with the smallest validation loss are kept.

    Parameters
    ----------
    loss, validation
        The loss on the training data and on other data.
    epochs, batch_size, learning_rate
        Passes over the windows by Adam, whose learning rate falls to zero.
    polish
        Largest number of steps of L-BFGS that follow, on at most 2000 windows.
    seed
        Random seed of the batches.
    progress
        Whether to show a progress bar.
    clip, weight_decay
        Largest norm of the gradient, and decoupled weight decay of the model, in the passes by Adam.
    course
        Whether the training resumes an earlier one, so that weights are kept unless a validation loss falls below that of the
        present ones, and who watches it.

    Returns
    -------
    DataFrame, one row per epoch, and per 20 steps of the polish
        ``learning_rate`` (NaN in the polish), ``training`` and, with validation data, ``validation``.

    Raises
    ------
    IntegrationError
        If the loss is not finite.
    """
    shuffle = seeded(seed)
    parameters = loss.parameters()
    batches = math.ceil(len(loss) / batch_size)
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: cosine(step, max(1, epochs * batches)))
    rows: list[dict[str, float]] = []
    kept: tuple[float, dict[str, torch.Tensor] | None] = (math.inf, None)
    course.skip(loss, shuffle)
    if course.earlier is not None and validation is not None:
        kept = whole(validation), copy.deepcopy(loss.model.state_dict())

    def note(rate: float, training: float) -> bool:
        nonlocal kept
        if not math.isfinite(training):
            raise IntegrationError(f"the loss is not finite in epoch {len(rows)}: lower learning_rate")
        row = {"learning_rate": rate, "training": training}
        if validation is not None:
            row["validation"] = whole(validation)
        if (reached := row.get("validation", training)) < kept[0] or validation is None:
            kept = reached, copy.deepcopy(loss.model.state_dict())
        rows.append(row)
        bar.update()
        return course.ended_by(row, [loss.model])

    polishes = math.ceil(polish / quasi_newton.AT_ONCE)
    label = f"training {loss.model.name} ({loss.name})"
    with (
        tqdm(total=epochs + polishes, disable=not progress, desc=label, leave=False) as bar,
        suited_to(min(batch_size, len(loss)) * 100),
    ):
        ended = False
        for _ in range(epochs):
            rate, found = float(schedule.get_last_lr()[0]), []
            for batch in shuffled(loss, shuffle).split(batch_size):
                optimizer.zero_grad()
                value = loss.parts(batch).sum()
                value.backward()
                nn.utils.clip_grad_norm_(parameters, clip)
                if weight_decay:
                    decay(loss.model, weight_decay * float(schedule.get_last_lr()[0]))
                optimizer.step()
                schedule.step()
                found.append(float(value.detach()))
            if ended := note(rate, sum(found) / len(found)):
                break
        if polish and not ended:
            used = shuffled(loss, shuffle)[:MOST]
            for now in quasi_newton.descend(lambda: [loss.parts(used).sum()], parameters, polish):
                if note(math.nan, now):
                    break
    if kept[1] is not None:
        loss.model.load_state_dict(kept[1])
    return pd.DataFrame(rows).rename_axis("epoch")


def whole(loss: StateLoss) -> float:
    """Return the loss over all of its windows."""
    with torch.no_grad():
        parts = [len(rows) * loss.parts(rows).sum() for rows in torch.arange(len(loss)).split(MOST)]
    return float(sum(parts) / len(loss))
