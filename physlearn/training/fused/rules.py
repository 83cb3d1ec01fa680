"""Update rules of the optimizers, as in torch.optim, for one array of parameters at a time."""

from __future__ import annotations

import math

import numpy as np

from physlearn.activations.compiled import INLINED
from systems.compiled.loops import Array, loop

RULES: dict[str, int] = {"adam": 0, "sgd": 1, "momentum": 2, "rmsprop": 3}
ADAM, SGD, MOMENTUM, RMSPROP, NONE = range(5)  # NONE computes only the losses

BETA_1, BETA_2, TINY = 0.9, 0.999, np.float32(1e-8)  # torch.optim.Adam
NEW_1, KEPT_2, NEW_2 = (np.float32(b) for b in (1 - BETA_1, BETA_2, 1 - BETA_2))
FRICTION = np.float32(0.9)
KEPT, NEW = np.float32(0.99), np.float32(0.01)  # torch.optim.RMSprop


@loop(**INLINED, fastmath={"contract"})
def update(rule: int, rate: float, count: int, p: Array, g: Array, first: Array, second: Array) -> None:
    """Update the parameters p with the gradient g, and their two moments, all ``(n,)``, by one step.

    The rate is the learning rate, and the count is 1 in the first step.
    """
    rate32 = np.float32(rate)
    if rule == ADAM:
        step = np.float32(rate / (1 - BETA_1**count))
        scale = np.float32(1 / math.sqrt(1 - BETA_2**count))
        for i in range(len(p)):
            first[i] += (g[i] - first[i]) * NEW_1
            second[i] = KEPT_2 * second[i] + NEW_2 * g[i] * g[i]
            p[i] -= step * first[i] / (math.sqrt(second[i]) * scale + TINY)
    elif rule == SGD:
        for i in range(len(p)):
            p[i] -= rate32 * g[i]
    elif rule == MOMENTUM:
        for i in range(len(p)):
            first[i] = FRICTION * first[i] + g[i]
            p[i] -= rate32 * first[i]
    else:
        for i in range(len(p)):
            second[i] = KEPT * second[i] + NEW * g[i] * g[i]
            p[i] -= rate32 * g[i] / (math.sqrt(second[i]) + TINY)
