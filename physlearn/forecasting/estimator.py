"""The interface of scikit-learn's estimators, so that its model selection accepts forecasters; it need not be installed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import models
from physlearn.forecasting.channels import Channels
from physlearn.metrics import distance, valid_prediction_time
from systems import InputError, Orbit


class Estimator:
    """Base class of `Forecaster`: its settings by name, and a score."""

    _settings: dict[str, Any]
    options: Mapping[str, Any]
    channels: Channels

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings with which the forecaster was created.

        Parameters
        ----------
        deep
            Has no effect, as the settings have no settings of their own.

        Returns
        -------
        dict
            Settings by the names of the arguments.
        """
        return dict(self._settings)

    def set_params(self, **settings: Any) -> Self:
        """Change settings. A forecaster that was trained must be trained again.

        Options that another model does not have are dropped.

        Parameters
        ----------
        **settings
            New values, by the names of the arguments.

        Returns
        -------
        Forecaster
            The forecaster itself.

        Raises
        ------
        InputError
            If a name or a value is invalid.
        """
        model = settings.get("model", self._settings["model"])
        options = models.find(model).options
        kept = {name: value for name, value in self._settings.items() if name not in self.options or name in options}
        if unknown := sorted(set(settings) - set(kept) - set(options)):
            known = ", ".join({**kept, **options})
            raise InputError(f"a forecaster of the model {model} has no setting {unknown[0]!r}: choose from {known}")
        self.__init__(**{**kept, **settings})  # type: ignore[misc]
        return self

    def score(self, orbits: Orbit | Sequence[Orbit], y: None = None, *, threshold: float = 0.4) -> float:
        """Return the part of their length for which orbits are forecast well from their first states.

        A model with memory continues as many first states as it needs, and the rest counts.

        Parameters
        ----------
        orbits
            An orbit, a batch of orbits, or a list of either. They have the parameters and inputs of the forecaster, if any.
        y
            Has no effect; scikit-learn passes it.
        threshold
            Error at which a forecast ends, as in `~physlearn.metrics.valid_prediction_time`.

        Returns
        -------
        float
            Mean over the orbits of the valid prediction time divided by the length, from 0 to 1; larger is better.

        Raises
        ------
        InputError
            Before ``fit``, or if an orbit has less than two measured times.
        """
        parts = [part for part, _ in self.forecast_each(orbits, threshold)]
        if not parts:
            raise InputError("a score needs at least one orbit, but there is none")
        return float(torch.stack(parts).double().mean())

    def forecast_each(
        self, orbits: Orbit | Sequence[Orbit], threshold: float = 0.4
    ) -> Iterator[tuple[Float[Tensor, ""], Float[Tensor, ""]]]:
        """Forecast each orbit from its first state, and yield two figures.

        Parameters
        ----------
        orbits, threshold
            As for `score`.

        Yields
        ------
        part : Tensor, shape ``()``
            Part of the length for which the forecast is valid.
        error : Tensor, shape ``()``
            Root mean square over the times of the error, in units of the spread of the true orbit.

        Raises
        ------
        InputError
            As for `score`.
        """
        for orbit in self.channels.runs(orbits):
            for one in orbit.separate():
                known = one.measured.all(-1)
                if known.sum() < 2:
                    raise InputError("a score needs orbits with at least two times at which all coordinates were measured")
                truth = Orbit(one.t[known], one.z[known], coordinates=one.coordinates, periods=one.periods)
                past, rest = self.parted(truth)
                forecast = self.forecast(past, rest.t, progress=False, **self.channels.arguments(orbit))
                part = valid_prediction_time(forecast, rest, threshold) / (rest.t[-1] - rest.t[0]).abs()
                yield part, distance(forecast, rest).square().mean(-1).sqrt()

    @abstractmethod
    def forecast(self, z0: Float[Tensor, "*batch D"] | Orbit, t: Float[Tensor, " T"], **options: Any) -> Orbit:
        """Return the forecast orbits."""

    @abstractmethod
    def parted(self, orbits: Orbit) -> tuple[Orbit, Orbit]:
        """Return the past that a forecast of orbits needs, and what it forecasts."""

    def __sklearn_tags__(self) -> Any:
        """Return the tags of an estimator, for scikit-learn, which alone calls this."""
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False))
