"""What held-out orbits tell about the bands and the trusted times of an ensemble."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn import schema
from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, InputError, Orbit
from systems.errors import outside
from systems.periodic import shortest

if TYPE_CHECKING:
    from physlearn.forecasting.bands import BandedOrbit

LEVELS = torch.arange(1, 1001, dtype=torch.float64) / 1000  # whose scores are kept
RANGES = (8, 4, 2, 1)  # of lead times; the first number that is possible
SHORT = 0.03  # by which the part of errors within the largest one may fall short of a level without a warning
WITHIN = 0.68  # probability of a time within its standard error
NEAR = 0.05  # levels nearby, over which the part of an orbit within the band is averaged
ROUNDING = 1e-9
LARGEST = 1e100  # stands for an infinite error, because files hold finite numbers


@dataclass(frozen=True)
class Calibration:
    """The calibration of the spread of an ensemble by held-out orbits.

    Parameters
    ----------
    times : shape ``(B,)``
        Lead times, that is times since the start of a forecast, at which scores are known.
    scores : shape ``(B, N, D)``
        At each lead time and for N evenly spaced levels up to 1, the number of spreads within which the errors of each
        coordinate of a further orbit are. Scores of shape ``(B, N, 1)`` are those of all coordinates.
    orbits : shape ``(B,)``
        Number of held-out orbits from which the scores are known, for the coordinate with the fewest.
    ratios : shape ``(n,)``
        Valid prediction times of the n held-out orbits divided by those predicted from the spread, sorted.
    step : shape ``()``
        Default integration step of forecasts; 0 for that of the training.
    """

    times: Float[Tensor, " B"]
    scores: Float[Tensor, "B N D"]
    orbits: Float[Tensor, " B"]
    ratios: Float[Tensor, " n"]
    step: Float[Tensor, ""]

    @classmethod
    def of_file(cls, tensors: Mapping[str, Tensor], dim: int) -> Calibration:
        """Return the calibration of D coordinates that a file holds. Raises InputError if its tensors are none.

        Files of earlier versions have quantiles ``(N,)`` of the errors of all coordinates at all times.
        """
        schema.closed(dict.fromkeys(tensors), "calibration", [field.name for field in fields(cls)])
        scores, ratios = tensors["scores"], tensors["ratios"]
        n = ratios.new_tensor([ratios.numel()])
        times, orbits = tensors.get("times", torch.zeros_like(n)), tensors.get("orbits", n)
        step = tensors.get("step", n.new_zeros(()))
        scores = _for_a_further_orbit(scores, ratios.numel()).reshape(1, -1, 1) if scores.ndim == 1 else scores
        fits = (
            [one.ndim for one in (times, scores, orbits, ratios, step)] == [1, 3, 1, 1, 0]
            and min(len(times), len(ratios), scores.numel()) > 0
            and len(times) == len(orbits) == len(scores)
            and scores.shape[2:] in ((1,), (dim,))
        )
        if not (fits and all(_rises(x) for x in (times, scores.movedim(1, 0), ratios)) and (orbits >= 1).all() and step >= 0):
            raise InputError("its calibration must have scores that rise with the level, at rising times, and rising ratios")
        return cls(times, scores, orbits, ratios, step)

    def factor(self, level: float, elapsed: Float[Tensor, "*batch T"]) -> Float[Tensor, "*batch T D"]:
        r"""Return the number of spreads within which the errors of a further orbit are with a probability of ``level``.

        It is the number q, for each coordinate and each range of lead times, with

        .. math:: \frac{1}{n + 1} \Bigl(\sum_{i=1}^n F_i(q) + \hat F(q)\Bigr) = \text{level}

        Here :math:`F_i` is the part of the errors of the orbit i in this range that is not larger than q. For a further orbit
        that has an error of q, :math:`\hat F` estimates this part by the mean over held-out orbits with an error near q. It
        is zero if either all errors of an orbit are within q or none, which gives the usual conformal prediction, and
        ``level`` if all orbits are alike. The times of one orbit depend on each other, so that n counts orbits. Between the
        middles of the ranges, q is linear in time.

        Parameters
        ----------
        level
            Probability, between 0 and 1.
        elapsed : shape ``(..., T)``
            Lead times.

        Returns
        -------
        Tensor, shape ``(..., T, D)`` or ``(..., T, 1)``
            Number of spreads for each coordinate, or one for all.

        Warns
        -----
        AccuracyWarning
            If there are too few orbits for this level; the largest error is then returned.

        References
        ----------
        Dunn, Wasserman, Ramdas, J. Am. Stat. Assoc. 118, 2491 (2023), on split conformal prediction from groups.
        """
        _check_number(level, int(self.orbits.min()))
        known, at = self.scores[:, _place(level, self.scores.shape[1])].unbind(-1), elapsed.detach().cpu().double().numpy()
        found = np.stack([np.interp(at, self.times.numpy(), one.numpy()) for one in known], axis=-1)
        return torch.from_numpy(found).to(elapsed.device)

    @property
    def trusted(self) -> tuple[float, float]:
        """Median ratio of true to predicted valid times, and the deviation from it with a probability of 68 %."""
        middle = self.ratios.median()
        away = (self.ratios - middle).abs().sort().values
        _check_number(WITHIN, len(away))
        return float(middle), float(away[_place(WITHIN * (len(away) + 1) / len(away), len(away))])


def calibrated(forecasts: BandedOrbit, truth: Orbit, threshold: float = 0.4, step: float = 0.0) -> Calibration:
    """Return the calibration by held-out orbits, forecast from their first states at their own times, by a default step.

    Each orbit counts equally, however often a coordinate was measured in a range of lead times, and does not count for it if
    it was not measured. There are fewer ranges if one would be without any measurement. Raises InputError if a coordinate was
    measured at the first times only.
    """
    off = shortest(truth.z.double() - forecasts.z.double(), truth.periods, truth.coordinates).abs()
    errors = (off / forecasts.spread.double())[..., 1:, :]  # at the first time the states are given
    errors = errors.nan_to_num(nan=LARGEST, posinf=LARGEST).flatten(0, -3)
    known = truth.measured[..., 1:, :].flatten(0, -3)
    for name, seen in zip(truth.coordinates, known.any(0).any(0).tolist(), strict=True):
        if not seen:
            raise InputError(
                f"{name} was measured at the first times of the held-out orbits only, which does not calibrate its band: give "
                "orbits in which it was measured later"
            )
    elapsed = forecasts.lead[..., 1:].flatten(0, -2).contiguous()
    for number in RANGES:
        edges = np.quantile(elapsed[known.any(-1)].numpy(), np.linspace(0, 1, number + 1)[1:-1])
        inside = torch.searchsorted(torch.from_numpy(edges), elapsed, right=True) == torch.arange(number).reshape(-1, 1, 1)
        parts = known & inside.unsqueeze(-1)  # (B, n, T, D)
        if parts.any(1).any(1).all():
            break
    scores = [torch.stack([_scores(errors[..., i], part[..., i]) for i in range(truth.dim)], -1) for part in parts]
    times = torch.stack([elapsed[part.any(-1)].mean() for part in parts])
    predicted = forecasts.departures(threshold).median(0).values
    plain = Orbit(forecasts.t, forecasts.z, coordinates=forecasts.coordinates, periods=forecasts.periods)
    ratios = (valid_prediction_time(plain, truth, threshold) / predicted).double().nan_to_num(nan=1.0, posinf=LARGEST)
    orbits = parts.any(2).sum(1).amin(-1).double()
    ratios = ratios.flatten().sort().values
    return Calibration(times, torch.stack(scores), orbits, ratios, torch.tensor(step, dtype=torch.float64))


def _scores(errors: Float[Tensor, "n T"], known: Bool[Tensor, "n T"]) -> Float[Tensor, " N"]:
    """Return the errors of one coordinate within which those of a further orbit are, for each level."""
    count, place = known.sum(-1, keepdim=True).double(), torch.arange(known.shape[-1])
    kept, n = place < count, int(known.any(-1).sum())
    found, order = errors.where(known, torch.inf).sort(-1).values[kept].sort()
    weight, below = ((x / count)[kept][order] for x in (torch.ones_like(place), place))  # below: its own smaller errors
    passed, part = (weight.cumsum(0) / n).numpy(), ((weight * below).cumsum(0) / n).numpy()
    at = LEVELS.numpy()
    low, high = (at - NEAR).clip(min=0), (at + NEAR).clip(max=1)
    own = (np.interp(high, passed, part) - np.interp(low, passed, part)) / (high - low)
    shares = np.maximum.accumulate(at + (at - own) / n)
    return found[np.searchsorted(passed, shares - ROUNDING).clip(max=len(found) - 1)]


def _for_a_further_orbit(quantiles: Float[Tensor, " N"], n: int) -> Float[Tensor, " levels"]:
    """Return the quantiles of n orbits within which those of a further orbit are, none of whose errors may be smaller."""
    return quantiles[[_place(level * (n + 1) / n, len(quantiles)) for level in LEVELS.tolist()]]


def _rises(values: Tensor) -> bool:
    """Return whether values do not fall along their first axis, and are not negative."""
    return bool((values >= 0).all() and (values.diff(dim=0) >= 0).all())


def _place(level: float, number: int) -> int:
    """Return the place of a level among evenly spaced levels, or the last one if it is larger than all."""
    return min(number, max(1, ceil(level * number - ROUNDING))) - 1


def _check_number(level: float, orbits: int) -> None:
    """Warn if there are too few orbits for a level."""
    if orbits / (orbits + 1) < level - SHORT:
        needed = ceil(level / (1 - level) - ROUNDING)
        warnings.warn(
            f"{orbits} held-out orbits are too few for a level of {level:g}, which needs {needed}; the "
            "band is as wide as the largest error, which may be too narrow: calibrate with more orbits, or take a lower level",
            AccuracyWarning,
            stacklevel=outside(),
        )
