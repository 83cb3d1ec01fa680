"""How long a step of training takes with each activation: measured side by side, however their losses came about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from physlearn.activations import Activation
from physlearn.tasks import Task
from physlearn.training.ensemble import train_ensemble

ROUNDS = 5  # after a first one that compiles
STEPS = 60  # at least, of each activation in each round


def seconds_a_step(variants: Mapping[str, tuple[Task, str | Activation]], networks: int) -> dict[str, float]:
    """Of so many networks at once, each variant on its task; they take turns, so that the machine's load meets all alike."""
    prepared = {}
    for name, (task, activation) in variants.items():
        epochs = math.ceil(STEPS * task.training.batch_size / len(task.pairs("training")))
        models = [task.network(activation, seed) for seed in range(networks)]  # each round goes on from the one before
        prepared[name] = models, task.pairs("training"), replace(task.training, epochs=epochs, patience=None)
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(1 + ROUNDS):
        for name, (models, pairs, how) in prepared.items():
            history = train_ensemble(models, pairs, None, how, range(networks), progress=False)
            taken[name].append(float(history.seconds[-1]) / (how.epochs * history.steps))
    return {name: median(times[1:]) for name, times in taken.items()}
