"""Files of forecasters, which hold weights, settings and the history of the training."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pandas as pd
import torch

from physlearn import tensor_file
from physlearn.forecasting import stored
from physlearn.integrators.steps import checked_step
from physlearn.models.layers import Layers
from physlearn.models.physical import PhysicalModel
from physlearn.models.units import Units
from physlearn.training import Training
from systems.autograd_mode import recorded

if TYPE_CHECKING:
    from physlearn.forecasting.forecaster import Forecaster


def write(forecaster: Forecaster, path: str | os.PathLike[str]) -> None:
    """Write a forecaster; see `Forecaster.save`."""
    tensors = forecaster.model.inner.state_dict() | forecaster.model.units.tensors
    tensor_file.write(path, "forecaster", stored.settings_of(forecaster), tensors)


def read(cls: type[Forecaster], path: str | os.PathLike[str], device: str | torch.device) -> Forecaster:
    """Read a forecaster; see `Forecaster.load`."""
    settings, tensors = tensor_file.read(path, "forecaster")
    with tensor_file.understood(path), recorded():
        stored.check(settings, tensors)
        forecaster = cls(**stored.arguments_of(settings), device=device)
        coordinates, periods = tuple(settings["coordinates"]), stored.periods_of(settings, tensors)
        units = Units.take(tensors, len(coordinates))
        model = forecaster._build(coordinates, periods, units)
        model.load_state_dict(tensors)
        for network in (part for part in model.modules() if isinstance(part, Layers)):
            forecaster.activation = network.activation  # with the stored values of its tables
        forecaster._adopt(PhysicalModel(model, units), coordinates, periods)
        forecaster.training, forecaster.step = Training(**settings["training"]), checked_step(settings.get("step"))
        forecaster.history = pd.DataFrame(settings["history"]).rename_axis("epoch")
        forecaster.loss, forecaster.loss_reason, forecaster.loss_method, forecaster.noise = stored.loss_of(settings)
    return forecaster
