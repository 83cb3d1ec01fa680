"""Choose the learning rate of each variant with the same effort."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NoReturn, get_args

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from physlearn.activations import Activation
from physlearn.tasks import Task
from physlearn.training import Pairs, Training
from physlearn.training.ensemble import EngineName, train_ensemble
from systems import InputError

Criterion = Literal["median", "geometric mean"]
LEARNING_RATES = tuple(float(f"{rate:.2g}") for rate in np.geomspace(1e-3, 2.0, 10))


@dataclass(frozen=True)
class Tuned:
    """The chosen learning rate, whether it is the lowest or highest of those tried, and the tuning loss of each."""

    learning_rate: float
    at_the_edge: bool
    tried: pd.Series


def tune(
    task: Task,
    activation: str | Activation,
    training: Training,
    pairs: Pairs,
    tuning: Pairs,
    *,
    learning_rates: tuple[float, ...] = LEARNING_RATES,
    replicates: int = 6,
    by: Criterion = "median",
    seed: int = 0,
    engine: EngineName = "auto",
    bar: tqdm[NoReturn] | None = None,
) -> Tuned:
    """Return the learning rate whose networks have the smallest loss on the tuning part, each in its best epoch.

    ``by`` says which loss: the median, or the geometric mean, which counts networks that end in a bad minimum. The networks
    are trained just as in the comparison, but with seeds that the comparison does not use. A rate at which any network
    diverges ranks below every rate at which none does.
    """
    if by not in get_args(Criterion):
        raise InputError(f"learning rates are chosen by {' or '.join(get_args(Criterion))}, not {by!r}")
    if len(learning_rates) < 1 or replicates < 1:
        raise InputError(
            f"tuning needs at least one learning rate and one network each, not {len(learning_rates)} and {replicates}"
        )
    seeds = [seed + k for k in range(replicates)] * len(learning_rates)
    models = [task.network(activation, s) for s in seeds]
    each = [rate for rate in learning_rates for _ in range(replicates)]
    history = train_ensemble(models, pairs, tuning, training, seeds, learning_rates=each, engine=engine, progress=False)
    losses = history.best.double().where(~history.diverged, np.inf).view(len(learning_rates), replicates)
    middle = losses.quantile(0.5, dim=1) if by == "median" else losses.log().mean(1).exp()
    middle = middle.where(~middle.isnan(), np.inf)  # interpolation between two infinities gives NaN
    tried = pd.Series(middle.numpy(), index=pd.Index(learning_rates, name="learning_rate"), name="tuning_loss")
    sound = losses.isfinite().all(1).tolist()
    best = min(range(len(learning_rates)), key=lambda i: (not sound[i], tried.iloc[i]))
    if bar is not None:
        bar.update(len(models))
    chosen = learning_rates[best]
    return Tuned(chosen, len(learning_rates) > 1 and chosen in (min(learning_rates), max(learning_rates)), tried)
