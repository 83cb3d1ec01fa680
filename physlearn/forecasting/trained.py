"""The training of contenders, and their forecasts of the same orbits."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from tqdm.auto import tqdm

from physlearn import integrators, models
from physlearn.forecasting.contender import Contender
from physlearn.forecasting.forecaster import Forecaster
from physlearn.integrators.implicit import Implicit
from physlearn.integrators.steps import fitting
from physlearn.models.options import suited
from systems import AccuracyWarning, Orbit


@dataclass(frozen=True)
class Trained:
    """Trained forecasters and their training times [s], by the name of the model."""

    forecasters: Mapping[str, Forecaster]
    seconds: Mapping[str, float] = field(default_factory=dict)


def fit_all(
    contenders: Sequence[Contender],
    orbits: Orbit | Sequence[Orbit],
    validation: Orbit | Sequence[Orbit],
    *,
    progress: bool,
    training: Mapping[str, Any],
    **network: Any,
) -> Trained:
    """Train each model of the contenders once, on the same orbits with the same settings; baselines take no angles."""
    forecasters: dict[str, Forecaster] = {}
    seconds: dict[str, float] = {}
    for name in dict.fromkeys(contender.model for contender in contenders):
        start = time.perf_counter()
        forecaster = Forecaster(name, **suited(name, network))
        forecasters[name] = forecaster.fit(orbits, validation, progress=progress, **training)
        seconds[name] = time.perf_counter() - start
    return Trained(forecasters, seconds)


def forecast_all(
    contenders: Sequence[Contender], trained: Trained, z0: Tensor, t: Tensor, *, past: Orbit | None = None, progress: bool
) -> dict[str, Orbit]:
    """Return the forecast of each contender from the same initial states; models with memory continue the past to there.

    All contenders take steps as long as those of the training orbits, adjusted to divide the time between two outputs. If an
    implicit step of an orbit fails, the orbit is NaN from then on and counts as lost; the other orbits are not affected.
    """
    forecasts = {}
    for contender in tqdm(contenders, disable=not progress, desc="forecasting", leave=False):
        if models.find(contender.model).continues:
            assert past is not None
            forecasts[contender.label] = trained.forecasters[contender.model].forecast(past, t)
            continue
        forecaster = trained.forecasters[contender.model]
        method = contender.method or forecaster.model.default_method
        lenient = issubclass(integrators.find(method), Implicit)
        options: dict[str, Any] = {"failure": "nan"} if lenient else {}
        with warnings.catch_warnings():  # methods are compared with the same steps, which are too long for some of them
            warnings.simplefilter("ignore", AccuracyWarning)
            orbit = forecaster.forecast(z0, t, method=method, dt=fitting(t, forecaster.step), progress=False, **options)
        forecasts[contender.label] = orbit
    return forecasts
