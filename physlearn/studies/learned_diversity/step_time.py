"""Time per training step with each activation, measured for all activations in turn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from statistics import median

from physlearn.activations import Activation
from physlearn.tasks import Task
from physlearn.training.ensemble import train_ensemble

ROUNDS = 5  # timed rounds, after a first round that compiles
STEPS = 60  # minimum number of steps of each activation in each round


def seconds_a_step(variants: Mapping[str, tuple[Task, str | Activation]], networks: int) -> dict[str, float]:
    """Return the time per step of ``networks`` networks at once, for each variant on its task, in seconds.

    The variants take turns, so that the load of the machine affects all of them equally.
    """
    prepared = {}
    for name, (task, activation) in variants.items():
        epochs = math.ceil(STEPS * task.training.batch_size / len(task.pairs("training")))
        models = [task.network(activation, seed) for seed in range(networks)]  # each round continues the previous one
        prepared[name] = models, task.pairs("training"), replace(task.training, epochs=epochs, patience=None)
    taken: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(1 + ROUNDS):
        for name, (models, pairs, how) in prepared.items():
            history = train_ensemble(models, pairs, None, how, range(networks), progress=False)
            taken[name].append(float(history.seconds[-1]) / (how.epochs * history.steps))
    return {name: median(times[1:]) for name, times in taken.items()}
