"""Tell chaos from a transient: whether deviation vectors keep growing in the time that is left."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.lyapunov import growth_in, standard_error

CLEAR = 2.0  # standard errors by which an exponent exceeds zero, about 95 % confidence
MARKS = 20  # equal parts of the time, at whose ends the growth is compared; a multiple of 4 and of the blocks of an error
LAST = MARKS // 4  # of these, in which the growth must still go on
PART = 0.25  # least rate in these, relative to the mean: that of growth which has stopped before is about zero


class TimeLeft(NamedTuple):
    """The growth of deviation vectors over the whole time.

    Parameters
    ----------
    exponent, error : shape ``(n,)``
        The mean rate and its standard error [1 / time]; NaN for orbits that escape.
    lasts : shape ``(n,)``
        Whether the rate exceeds its error clearly, and at least a quarter of it is left in the last quarter of the time.
    rise : shape ``(n,)``
        The largest logarithmic growth between two times in the second half of the time.
    """

    exponent: Float[Tensor, " n"]
    error: Float[Tensor, " n"]
    lasts: Bool[Tensor, " n"]
    rise: Float[Tensor, " n"]


def time_left(
    rollout: Rollout,
    z: Float[Tensor, "n D"],
    w: Float[Tensor, "n 1 D"],
    scale: Float[Tensor, "n D"],
    first: int,
    past: Float[Tensor, "n count"],
    apart: int,
) -> TimeLeft:
    """Follow orbits from the step number ``first`` to the end of the rollout, each with one deviation vector.

    ``past`` is the logarithmic length of the vectors after every ``apart`` steps so far, and finally after ``first`` steps.
    """
    marks = np.linspace(0, rollout.steps, MARKS + 1)[1:].round().astype(np.int64)
    ahead = marks[marks > first]
    earlier = past[:, (marks[marks <= first] // apart - 1).clip(0, past.shape[1] - 1)]
    grown = growth_in(rollout, z, w, scale, np.diff(ahead, prepend=first), first)[..., 0]
    total = torch.cat([earlier, past[:, -1:] + grown.cumsum(1)], dim=1)  # (n, MARKS)
    t = torch.from_numpy(marks * rollout.dt).to(total)
    exponent = total[:, -1] / t[-1]
    error = standard_error((total / t)[..., None], t)[:, 0]
    last = (total[:, -1] - total[:, -1 - LAST]) / (t[-1] - t[-1 - LAST])
    lasts = (exponent > CLEAR * error) & (last > PART * exponent)
    half = total[:, MARKS // 2 - 1 :]
    return TimeLeft(exponent, error, lasts, (half - half.cummin(1).values).amax(1))
