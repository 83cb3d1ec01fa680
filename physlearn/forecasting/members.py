"""The members of an ensemble of forecasters, and the bands of its forecasts."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from physlearn.forecasting.bands import BandedOrbit, Calibration, calibrated
from physlearn.forecasting.channels import Channels, states_only
from physlearn.models.physical import PhysicalModel
from systems import InputError, Orbit

if TYPE_CHECKING:
    from physlearn.forecasting.learned_flow import LearnedFlow


class Members:
    """Base class of `Forecaster`: an ensemble, whose forecasts have bands."""

    members: list[PhysicalModel]
    calibration: Calibration | None
    noise: dict[str, float]
    coordinates: tuple[str, ...]
    channels: Channels

    def calibrate(self, orbits: Orbit | Sequence[Orbit]) -> Self:
        """Calibrate the bands of an ensemble on held-out orbits, which are forecast from their first states.

        Parameters
        ----------
        orbits
            Orbits that were not used in the training, as long as the forecasts to come; better a hundred than ten.

        Returns
        -------
        Forecaster
            The forecaster itself, whose later forecasts have calibrated bands.

        Raises
        ------
        InputError
            If the forecaster is no ensemble, or there are fewer than two orbits.
        """
        given = self.channels.runs(orbits)
        truth = states_only(given) if self.channels.names else given[0] if len(given) == 1 else Orbit.of(given)
        if not self.members:
            raise InputError("only an ensemble has bands to calibrate: create the forecaster with members=20, and fit it")
        if len(truth.shape) < 2:
            raise InputError("a calibration needs at least two held-out orbits, and better a hundred")
        forecasts = self.forecast(truth.z[..., 0, :], truth.t, progress=False, **self.channels.arguments_of_all(given, truth))
        self.calibration = calibrated(forecasts, truth)
        return self

    def forecast(self, z0: Any, t: Any, **options: Any) -> Any:
        """Return the forecast orbits."""
        raise NotImplementedError

    def _flow_of(self, member: PhysicalModel) -> LearnedFlow:
        """Return the forecaster with the weights of a member."""
        other: Any = copy.copy(self)
        other._model, other._copies, other._compiled = member, {}, None
        return other

    def _banded(self, orbits: Sequence[Orbit]) -> BandedOrbit:
        """Return the forecast of the first member with the forecasts of all."""
        noise = torch.tensor([self.noise.get(name, 0.0) for name in self.coordinates], dtype=torch.float64)
        parts: dict[str, Any] = {
            name: getattr(orbits[0], name) for name in ("t", "z", "coordinates", "provenance", "periods", "units")
        }
        members: Tensor = torch.stack([one.z for one in orbits])
        return BandedOrbit(**parts, members=members, noise=noise.nan_to_num(nan=0.0), calibration=self.calibration)
