"""The polish: a second training on rates, by a method of second order, in double precision.

Gradients of batches are noisy, and the stiffest direction of the weights bounds the learning rate, so the first training ends
far from the minimum. A method of second order goes on from there; the page on defaults in the documentation has figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from physlearn.models import Model
from physlearn.threads import suited_to
from physlearn.training import quasi_newton
from physlearn.training.course import NEW, Course
from physlearn.training.pairs import Pairs
from physlearn.training.polish_losses import by_normal_equations, loss_of, put, weights_of
from physlearn.training.train_settings import Training
from systems.scalars import seeded

EPOCHS_PER_STEP = 10  # of the first training, per step of Levenberg-Marquardt, which takes as long as 20 to 40 of them
EPOCHS_PER_LBFGS_STEP = 4  # the same for a step of L-BFGS
PATIENCE = 10  # evaluations without a smaller loss on held-out data after which the polish ends
RUNS = 50  # number of runs into which the pairs are cut if there are no validation data
HELD = 10  # one of so many runs is held out


def default_steps(model: Model, epochs: int) -> int:
    """Return the number of steps of the polish after a training, which then takes about 3 to 5 times as long in all."""
    return epochs // (EPOCHS_PER_STEP if by_normal_equations(model) else EPOCHS_PER_LBFGS_STEP)


def polish(
    model: Model,
    pairs: Pairs,
    validation: Pairs | None,
    training: Training,
    *,
    steps: int,
    seed: int,
    progress: bool,
    course: Course = NEW,
) -> pd.DataFrame:
    """Go on with the training of a model on rates by a method of second order, in place.

    The method is Levenberg-Marquardt for models of one hidden layer whose activations have a compiled form, with at most
    1500 weights; for others it is L-BFGS, by torch. The weights with the smallest validation loss are kept, in the precision
    of the model. Without validation data, a tenth of the pairs, in runs of neighbours, is held out instead, and fewer than 20
    pairs are not polished. If no step decreases both losses, the model is unchanged.

    Parameters
    ----------
    model
        A trained model.
    pairs, validation
        Pairs in float64. `validation` may be None.
    training
        Settings of the training, of which the polish uses those of the loss.
    steps
        Largest number of steps.
    seed
        Random seed of the choice of the pairs that are held out.
    progress
        Whether to show a progress bar.
    course
        Who watches the polish, and a loss of the user's own, which L-BFGS minimises.

    Returns
    -------
    DataFrame, one row per step of Levenberg-Marquardt or per 20 steps of L-BFGS
        The columns of the history of the training; ``learning_rate`` is NaN. Without validation data, the last row is that of
        the weights that are kept.
    """
    if validation is None and len(pairs) < 2 * HELD:
        return pd.DataFrame().rename_axis("epoch")
    dtype, device = next(model.parameters()).dtype, next(model.parameters()).device
    closed = course.loss is None and by_normal_equations(model)
    where = torch.device("cpu") if closed or device.type == "mps" else device
    pairs, others = pairs.to(where, torch.float64), None if validation is None else validation.to(where, torch.float64)
    model.to(where, torch.float64)
    counting = course.counting(pairs, training)
    seen, held = (pairs, others) if others is not None else _parted(pairs, seed)
    loss, check = (loss_of(model, part, counting, closed=closed) for part in (seen, held))
    kept = weights_of(model)
    first, best = float(loss.parts(kept).sum()), float(check.parts(kept).sum())
    rows: list[dict[str, float]] = []
    last = 0  # number of rows up to that of the weights that are kept
    evaluations = steps if closed else math.ceil(steps / quasi_newton.AT_ONCE)
    bar = tqdm(total=evaluations, disable=not progress, desc=f"polishing {model.name}", unit="step", leave=False)
    with bar, suited_to(len(pairs)):
        for found in loss.descend(kept, steps):
            rounded = torch.from_numpy(found).to(dtype).double().numpy()
            parts, checked = (torch.from_numpy(one.parts(rounded)).unsqueeze(0) for one in (loss, check))
            row = {"learning_rate": math.nan}
            if validation is None:
                row |= counting.told("training", (len(seen) * parts + len(held) * checked) / len(pairs))
            else:
                row |= counting.told("training", parts) | counting.told("validation", checked)
            rows.append(row)
            bar.update()
            ended = _watched(course, row, model, rounded)
            if float(checked.sum()) < best and float(parts.sum()) < first:
                kept, best, last = rounded, float(checked.sum()), len(rows)
            if ended or len(rows) - last >= PATIENCE:
                break
    put(model, kept)
    model.to(device, dtype)
    return pd.DataFrame(rows if validation is not None else rows[:last]).rename_axis("epoch")


def _watched(course: Course, row: Mapping[str, float], model: Model, weights: np.ndarray) -> bool:
    """Return whether the polish ends after a step to these weights, which the model has while it is watched."""
    if course.watch is None:
        return False
    before = weights_of(model)
    put(model, weights)
    ended = course.ended_by(row, [model])
    put(model, before)
    return ended


def _parted(pairs: Pairs, seed: int) -> tuple[Pairs, Pairs]:
    """Return the pairs to train on and those held out: runs of neighbours, which share the errors of estimated rates."""
    runs = min(RUNS, len(pairs))
    chosen = torch.randperm(runs, generator=seeded(seed))[: math.ceil(runs / HELD)]
    out = torch.isin(torch.arange(len(pairs)) * runs // len(pairs), chosen).to(pairs.z.device)
    return replace(pairs, z=pairs.z[~out], target=pairs.target[~out]), replace(pairs, z=pairs.z[out], target=pairs.target[out])
