"""Digits on a line, told apart by a network of one hidden layer: figures 3 and 4 of the paper."""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from numbers import Integral
from typing import TYPE_CHECKING, Any

from physlearn.models import Classifier
from physlearn.tasks.registry import register
from physlearn.tasks.simulated import SHARES
from physlearn.tasks.task import PARTS, Task
from physlearn.training import Pairs
from systems import InputError
from systems.mnist1d import CLASSES, checked_seed, construction, digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEARNING = {
    "variant": "evolution",
    "outer_steps": 300,
    "inner_steps": 260,  # the 10 epochs of a comparison
    "inner_learning_rate": (3e-3, 3e-2),
    "schedule": "cosine",
    "held_out": True,
    "outer_learning_rate": 0.03,
    "warm_up": 1,
    "clip": None,
}
"""How activations are learned for it: networks remember signals, so what counts is the loss on others in the end."""


@register("mnist1d")
def mnist1d(samples: int = 4000, seed: int = 0) -> Task:
    """A network learns which digit a signal is: its loss is the cross-entropy, and its accuracy is told besides.

    samples: in the training parts; a share of them in the others, as orbits of the other tasks. All are of one data set, cut
    into the parts: they share the mean and the standard deviation, one number each, by which the set is scaled.
    """
    if not isinstance(samples, Integral) or samples < 10:
        raise InputError(f"samples is a whole number of at least 10, not {samples}")
    checked_seed(seed)
    ends = list(accumulate(round(SHARES[part] * samples) for part in PARTS))

    @cache
    def everything() -> Pairs:
        z, classes = digits(-(-ends[-1] // CLASSES) * CLASSES, seed)
        return Pairs(z, classes, tuple(f"a_{i}" for i in range(z.shape[1])))

    def of_part(part: str) -> Pairs:
        k, whole = PARTS.index(part), everything()
        own = slice(ends[k - 1] if k else 0, ends[k])
        return Pairs(whole.z[own], whole.target[own], whole.coordinates)

    def picture(ax: Axes) -> Any:
        from physlearn import plotting

        return plotting.digit_construction(construction(seed), ax=ax)

    return Task(
        name="mnist1d",
        title="MNIST-1D: digits on a line, by a network that classifies them",
        model=Classifier.name,
        data=of_part,
        classes=CLASSES,
        picture=picture,
        learning=LEARNING,
    )
