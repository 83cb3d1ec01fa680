"""Forecasts of an ensemble: orbits with bands, and the time until which they can be trusted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import ceil
from statistics import NormalDist
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, InputError, Orbit
from systems.errors import outside
from systems.orbit import Index
from systems.periodic import shortest

MOST = 10_000  # scores that are kept
SHORT = 0.03  # by which the part of errors within the largest one may fall short of a level without a warning
WITHIN = 0.68  # probability of a time within its standard error


@dataclass(frozen=True)
class Calibration:
    """What held-out orbits tell about the spread of an ensemble.

    Parameters
    ----------
    scores : shape ``(N,)``
        Quantiles of the errors of forecast coordinates in units of the ensemble's spread, at evenly spaced probabilities. Each
        orbit counts equally, however often it was measured.
    ratios : shape ``(n,)``
        Valid prediction times of the n held-out orbits divided by those predicted from the spread, sorted.
    """

    scores: Float[Tensor, " N"]
    ratios: Float[Tensor, " n"]

    def factor(self, level: float) -> float:
        r"""Return the number of spreads within which the errors of a further orbit are with a probability of ``level``.

        .. math:: \frac{1}{n + 1} \sum_{i=1}^n F_i(q) = \text{level}

        Here :math:`F_i` is the part of the errors of the orbit i that is below q; all errors of the further orbit may be
        larger than q. The times of one orbit depend on each other, so that n counts orbits.

        Warns
        -----
        AccuracyWarning
            If there are too few orbits for this level; the largest error is then returned.

        References
        ----------
        Dunn, Wasserman, Ramdas, J. Am. Stat. Assoc. 118, 2491 (2023), on split conformal prediction from groups.
        """
        return _quantile(self.scores, level, len(self.ratios))

    @property
    def trusted(self) -> tuple[float, float]:
        """Median ratio of true to predicted valid times, and the deviation from it with a probability of 68 %."""
        middle = self.ratios.median()
        away = (self.ratios - middle).abs().sort().values
        return float(middle), _quantile(away, WITHIN, len(away))


def _quantile(ordered: Float[Tensor, " N"], level: float, orbits: int) -> float:
    """Return the quantile for a further orbit, which may exceed all others."""
    share = level * (orbits + 1) / orbits
    if orbits / (orbits + 1) < level - SHORT:
        needed = ceil(level / (1 - level) - 1e-9)
        warnings.warn(
            f"{orbits} held-out orbits are too few for a level of {level:g}, which needs {needed}; the "
            "band is as wide as the largest error, which may be too narrow: calibrate with more orbits, or take a lower level",
            AccuracyWarning,
            stacklevel=outside(),
        )
    return float(ordered[min(len(ordered), max(1, ceil(share * len(ordered) - 1e-9))) - 1])


@dataclass(frozen=True)
class TrustedTime:
    """The time until which forecasts are expected to stay near the truth, and its standard error, one for each orbit."""

    time: Float[Tensor, "*batch"]
    error: Float[Tensor, "*batch"]


@dataclass(frozen=True, eq=False, repr=False)
class BandedOrbit(Orbit):
    """The forecast of an ensemble. The states are those of its best member, and all members form the bands.

    Parameters
    ----------
    t, z, rate, coordinates, provenance, periods, units
        As in `systems.Orbit`.
    members : shape ``(M, ..., T, D)``
        The forecasts of all members; the first is the forecast itself.
    noise : shape ``(D,)``
        Standard deviation of the measured coordinates, which belongs to the spread; 0 if the data were exact.
    calibration : Calibration, optional
        What held-out orbits tell; without it, errors are taken to be normal.
    """

    members: Float[Tensor, "M *batch T D"] | None = None
    noise: Float[Tensor, " D"] | None = None
    calibration: Calibration | None = None

    @property
    def spread(self) -> Float[Tensor, "*batch T D"]:
        """Root mean square of the members' deviations from the forecast, and of the noise; infinite where one diverged."""
        assert self.members is not None
        away = shortest(self.members - self.z, self.periods, self.coordinates)
        square = away.square().mean(0)
        if self.noise is not None:
            square = square + self.noise.to(square).square()
        smallest = torch.finfo(self.z.dtype).eps * self.z.abs()
        return square.sqrt().maximum(smallest).nan_to_num(nan=torch.inf)

    def band(self, level: float = 0.9) -> tuple[Float[Tensor, "*batch T D"], Float[Tensor, "*batch T D"]]:
        """Return the limits between which each coordinate is with a probability of ``level``.

        If the forecaster was calibrated, this holds on average over times and over orbits like those of the calibration, over
        the same length.

        Parameters
        ----------
        level
            Probability, between 0 and 1; defaults to 0.9.

        Returns
        -------
        tuple of Tensor, shape ``(..., T, D)``
            Lower and upper limits.

        Raises
        ------
        InputError
            If the level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise InputError(f"level must be a probability between 0 and 1, not {level!r}")
        known = self.calibration
        half = (NormalDist().inv_cdf((1 + level) / 2) if known is None else known.factor(level)) * self.spread
        return self.z - half, self.z + half

    def trusted_until(self, threshold: float = 0.4) -> TrustedTime:
        """Return the predicted valid time of each orbit: the median time at which members leave the forecast.

        If the forecaster was calibrated, times are multiplied by the median ratio of true to predicted valid times of the
        held-out orbits, and the error is the deviation that a further orbit like these does not exceed with a probability of
        68 %. Otherwise, it is the standard deviation of the members' times, which is infinite for two members.

        Parameters
        ----------
        threshold
            Error at which a forecast ends, as in `~physlearn.metrics.valid_prediction_time`.

        Returns
        -------
        TrustedTime
            Times from the start of the forecast, not longer than the forecast, and their standard errors.
        """
        times = self.departures(threshold)
        middle = times.median(0).values
        if self.calibration is None:
            return TrustedTime(middle, times.std(0) if len(times) > 1 else torch.full_like(middle, torch.inf))
        ratio, deviation = self.calibration.trusted
        length = (self.t[..., -1] - self.t[..., 0]).abs().to(middle)
        return TrustedTime((middle * ratio).minimum(length), middle * deviation)

    def departures(self, threshold: float) -> Float[Tensor, "*members"]:
        """Return the times at which the members other than the forecast itself leave it.

        Parameters
        ----------
        threshold
            Error at which a member has left.

        Returns
        -------
        Tensor, shape ``(M - 1, ...)``
            Times from the start of the forecast.
        """
        assert self.members is not None
        plain = Orbit(self.t, self.z, coordinates=self.coordinates, periods=self.periods)
        others = self.members[1:]
        return torch.stack([valid_prediction_time(replace(plain, z=one), plain, threshold) for one in others])

    def __getitem__(self, index: Index | tuple[Index, ...]) -> BandedOrbit:
        """Return some of the orbits or times, with their bands."""
        assert self.members is not None
        plain = Orbit(self.t, self.z, coordinates=self.coordinates)
        parts = [replace(plain, z=one)[index] for one in self.members]
        chosen: Any = super().__getitem__(index)
        return replace(chosen, members=torch.stack([part.z for part in parts]))


def calibrated(forecasts: BandedOrbit, truth: Orbit, threshold: float = 0.4) -> Calibration:
    """Return the calibration by held-out orbits, forecast from their first states at their own times."""
    off = shortest(truth.z.double() - forecasts.z.double(), truth.periods, truth.coordinates).abs()
    scores = (off / forecasts.spread.double())[..., 1:, :]  # at the first time the states are given
    known = truth.measured[..., 1:, :]
    predicted = forecasts.departures(threshold).median(0).values
    plain = Orbit(forecasts.t, forecasts.z, coordinates=forecasts.coordinates, periods=forecasts.periods)
    ratios = valid_prediction_time(plain, truth, threshold) / predicted
    weight = 1 / known.sum((-2, -1), keepdim=True).expand_as(known)[known].double()  # each orbit counts equally
    found, order = scores[known].nan_to_num(nan=torch.inf).sort()
    passed = weight[order].cumsum(0) / weight.sum()
    number = min(len(found), MOST)
    places = (torch.arange(1, number + 1, dtype=torch.float64) / number).clamp(max=float(passed[-1]))
    return Calibration(found[torch.searchsorted(passed, places - 1e-9)], ratios.double().flatten().sort().values)
