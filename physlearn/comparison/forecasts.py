"""Forecasts of many networks at once, and their scores."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import integrators, metrics
from physlearn.integrators import integrate
from physlearn.integrators.implicit import Implicit
from physlearn.integrators.steps import fitting
from physlearn.models import Model
from physlearn.models.stack import stack
from physlearn.tasks import Forecasting
from systems import AccuracyWarning
from systems.compiled.operators import UntraceableError

EXACT = torch.finfo(torch.float64).eps  # energy errors are not resolved below this
GONE = 1e9  # relative energy error above which the orbit has escaped, and the value means nothing


def forecast_merits(models: Sequence[Model], forecast: Forecasting) -> dict[str, Float[Tensor, " R"]]:
    """Return each network's valid prediction time and energy error, as medians over the orbits, for each integrator.

    Networks are rolled out in float64: one by one where their field can be compiled, otherwise all together. The steps are no
    longer than the median time step of the true orbits, and cross any gaps in them. The columns are named
    ``valid_time_<integrator>`` and, where an energy is known, ``energy_error_<integrator>``. An orbit that breaks off counts
    as lost from there on.
    """
    together = stack(models).double().requires_grad_(False)
    truth = forecast.truth.to(next(together.parameters()).device)
    truths = replace(truth, z=truth.z.expand(len(models), *truth.z.shape), rate=None)
    z0 = truths.z[..., 0, :]
    flows = _compiled(models) if z0.device.type == "cpu" else None
    merits: dict[str, Tensor] = {}
    for name in forecast.methods:
        options: dict[str, Any] = {"failure": "nan"} if issubclass(integrators.find(name), Implicit) else {}
        with torch.no_grad(), warnings.catch_warnings():  # a bad network forecasts badly; its scores show it
            warnings.simplefilter("ignore", AccuracyWarning)
            steps: dict[str, Any] = {"method": name, "dt": fitting(truth.t), "progress": False, **options}
            if flows is None:
                z = integrate(together, z0, truth.t, **steps).z
            else:
                z = torch.stack([integrate(flow, one, truth.t, **steps).z for flow, one in zip(flows, z0, strict=True)])
        rolled = replace(truths, z=z)
        valid = metrics.valid_prediction_time(rolled, truths, horizon=forecast.horizon)
        merits[f"valid_time_{name}"] = _median(valid)
        if forecast.energy is not None:
            error = _median(metrics.energy_error(rolled, forecast.energy)).clamp(min=EXACT)
            merits[f"energy_error_{name}"] = error.where(error < GONE, math.inf)
    return merits


def _compiled(models: Sequence[Model]) -> list[Model] | None:
    """Return copies of the networks in float64, or None if their fields cannot be compiled."""
    copies = [copy.deepcopy(model).double().requires_grad_(False) for model in models]
    try:
        copies[0].compiled_field()
    except UntraceableError:
        return None
    return copies


def _median(x: Float[Tensor, "R n"]) -> Float[Tensor, " R"]:
    """Return the median of each row, which may hold infinities; torch's median takes the lower of the two middle values."""
    ascending = x.sort(-1).values
    n = x.shape[-1]
    return (ascending[:, (n - 1) // 2] + ascending[:, n // 2]) / 2
