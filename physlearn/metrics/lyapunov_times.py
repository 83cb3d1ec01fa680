"""Valid prediction times in the unit that chaos sets."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from systems import InputError


def lyapunov_times(
    valid: Float[Tensor, "*batch"], exponent: Float[Tensor, "*batch"], chaotic: Bool[Tensor, "*batch"] | None = None
) -> Float[Tensor, "*batch"]:
    r"""Times in units of the Lyapunov time :math:`1/\lambda`; NaN for orbits that are not chaotic, which have none.

    .. math:: \tau = \lambda\, t

    valid: times, as of `valid_prediction_time`. exponent: the largest Lyapunov exponent of the true orbits, one each or one
    for all [1 / time]. chaotic: which orbits are; by default those of a positive exponent. Over a finite time that of a
    regular orbit is positive too, and falls as ln(T)/T only: give what an alignment index says, where it may be regular.

    Raises InputError where chaotic is not of the shape of the times.

    >>> lyapunov_times(torch.tensor([50.0, 50.0]), torch.tensor([0.04, 0.0]))
    tensor([2., nan])
    """
    valid = torch.as_tensor(valid)
    exponent = torch.as_tensor(exponent).to(valid)
    chaotic = exponent > 0 if chaotic is None else torch.as_tensor(chaotic, device=valid.device)
    times = valid * exponent
    if chaotic.shape != exponent.shape and chaotic.shape != times.shape:
        raise InputError(f"chaotic must say for each of {tuple(times.shape)} orbits, not for {tuple(chaotic.shape)}")
    return times.masked_fill(~chaotic.expand_as(times), torch.nan)
