"""Valid prediction time: how long a forecast stays near the truth."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metrics.match import check_match
from systems import InputError, Orbit


def valid_prediction_time(
    forecast: Orbit, truth: Orbit, threshold: float = 0.4, *, horizon: Float[Tensor, "*batch"] | float | None = None
) -> Float[Tensor, "*batch"]:
    r"""The time from the start to the first at which the forecast is off by more than the threshold.

    .. math:: \|\hat z(t) - z(t)\| \,/\, \sqrt{\langle \|z\|^2 \rangle_t} > \epsilon

    A forecast that is never off gets the length of the orbit: a lower bound. States that are not finite are off. horizon:
    the time, of each orbit or of all, beyond which the truth itself is not known; no valid time is longer.

    Raises InputError for orbits that do not match.

    >>> t = torch.linspace(0, 10, 11)
    >>> truth = Orbit(t, torch.ones(11, 1))
    >>> valid_prediction_time(Orbit(t, torch.ones(11, 1) + 0.1 * t[:, None]), truth, threshold=0.45)
    tensor(5.)
    """
    check_match(forecast, truth)
    if not threshold > 0:
        raise InputError(f"threshold must be positive, not {threshold}")
    size = truth.z.square().sum(-1).mean(-1, keepdim=True).sqrt()
    within = (forecast.z - truth.z).norm(dim=-1) <= threshold * size  # False where NaN
    valid = (truth.t - truth.t[0]).abs()[_first(~within)]
    return valid if horizon is None else valid.minimum(torch.as_tensor(horizon).to(valid))


def _first(off: Tensor) -> Tensor:
    """The index of the first True on the last axis; of the last element where there is none."""
    return torch.where(off.any(-1), off.to(torch.uint8).argmax(-1), off.shape[-1] - 1)
