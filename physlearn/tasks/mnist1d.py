"""A task on MNIST-1D: a network with one hidden layer classifies digits on a line (figures 3 and 4 of the paper)."""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from numbers import Integral
from typing import TYPE_CHECKING

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
"""Settings of `metalearn`. Networks memorise signals, so activations are learned from the final loss on held-out ones."""


@register("mnist1d")
def mnist1d(samples: int = 4000, seed: int = 0) -> Task:
    """Return a task in which a network learns which digit a signal is; the loss is the cross-entropy.

    All parts are slices of one data set, which is scaled by a single mean and standard deviation.

    Parameters
    ----------
    samples
        Number of samples in each training part; the other parts have a fraction of it, as in other tasks.
    seed
        Random seed of the data.

    Returns
    -------
    Task
        The task ``"mnist1d"``.

    Raises
    ------
    InputError
        If there are fewer than 10 samples, or the seed is invalid.
    """
    if not isinstance(samples, Integral) or samples < 10:
        raise InputError(f"samples must be a whole number of at least 10, not {samples}")
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

    def picture(ax: Axes) -> object:
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
