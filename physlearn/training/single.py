"""One network, trained by the fastest engine that applies to it."""

from __future__ import annotations

import pandas as pd
import torch

from physlearn.models import Learner
from physlearn.training import fused_engine
from physlearn.training.ensemble import train_ensemble
from physlearn.training.pairs import Pairs
from physlearn.training.train import Training, check_validation, diverged, train


def train_single(
    model: Learner, pairs: Pairs, validation: Pairs | None, training: Training, seed: int = 0, progress: bool = True
) -> pd.DataFrame:
    """What `train` does, up to rounding: as an ensemble of one where the compiled loops apply, which is far faster.

    The first training after an installation compiles them, which takes some ten seconds.
    """
    if not fused_engine.applies([model], pairs, training.clip):
        return train(model, pairs, validation, training, seed, progress)
    history = train_ensemble([model], pairs, validation, training, [seed], engine="fused", progress=progress)
    losses = {"training": history.training[:, 0], "validation": history.validation[:, 0]}
    if history.diverged[0]:
        finite = int(torch.isfinite(losses["training"]).sum())
        raise diverged(min(finite, training.epochs - 1))  # of the last step, the gradient alone may not be finite
    if validation is not None:
        check_validation(float(history.best[0]))
    epochs, steps = int(history.stopped[0]), history.steps
    shares = [training.rate_at(epoch * steps, training.epochs * steps) for epoch in range(epochs)]
    frame = pd.DataFrame({"learning_rate": [training.learning_rate * share for share in shares]})
    for name in losses if validation is not None else ["training"]:
        for column in (name, f"{name}_physical"):
            if (values := getattr(history, column)) is not None:
                frame[column] = values[:epochs, 0].double().numpy()
    return frame.rename_axis("epoch")
