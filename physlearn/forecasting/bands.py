"""Forecasts of an ensemble: orbits with bands, and the time until which they can be trusted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.forecasting.calibration import Calibration
from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, InputError, Orbit
from systems.errors import outside
from systems.orbit import Index
from systems.periodic import shortest


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
    elapsed : shape ``(..., T)``, optional
        Lead times, that is times since the state from which the forecast starts. Defaults to those since the first time.
    """

    members: Float[Tensor, "M *batch T D"] | None = None
    noise: Float[Tensor, " D"] | None = None
    calibration: Calibration | None = None
    elapsed: Float[Tensor, "*batch T"] | None = None

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

    @property
    def lead(self) -> Float[Tensor, "*batch T"]:
        """Lead time of each state, in float64."""
        if self.elapsed is not None:
            return self.elapsed
        return (self.t.double() - self.t[..., :1].double()).abs().expand(self.shape)

    def band(self, level: float = 0.9) -> tuple[Float[Tensor, "*batch T D"], Float[Tensor, "*batch T D"]]:
        """Return the limits between which each coordinate of a calibrated forecast is with a probability of ``level``.

        This holds for each coordinate, early as well as late, on average over orbits like those of the calibration, as long as
        these. Without a calibration, the limits only show where the members disagree, which is often much less than their
        common error, and an `~systems.AccuracyWarning` says so.

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
        limits = self.limits(level)
        if self.calibration is None:
            warnings.warn(
                f"a band that is not calibrated may hold the truth much less often than with a probability of {level:g}, as "
                "it only shows where the members disagree: calibrate the forecaster by Forecaster.calibrate(held-out orbits)",
                AccuracyWarning,
                stacklevel=outside(),
            )
        return limits

    def limits(self, level: float) -> tuple[Float[Tensor, "*batch T D"], Float[Tensor, "*batch T D"]]:
        """Return the limits of `band` without its warning, for a caller that tells by itself whether they are calibrated.

        Parameters
        ----------
        level
            Probability, between 0 and 1.

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
        factor: Any = NormalDist().inv_cdf((1 + level) / 2)
        if self.calibration is not None:
            factor = self.calibration.factor(level, self.lead).to(self.z)
        half = factor * self.spread
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
        chosen = cast(BandedOrbit, super().__getitem__(index))
        lead = replace(plain, z=self.lead.unsqueeze(-1), coordinates=("lead",))[index].z.squeeze(-1)
        return replace(chosen, members=torch.stack([part.z for part in parts]), elapsed=lead)
