"""Files of forecasters, which hold weights, settings and the history of the training."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd
import torch
from torch import Tensor, nn

from physlearn import tensor_file
from physlearn.activations.per_role import ROLES, PerRole
from physlearn.forecasting import stored
from physlearn.forecasting.calibration import Calibration
from physlearn.forecasting.remembered import given_per_step
from physlearn.integrators.steps import checked_step
from physlearn.models.layers import Layers
from physlearn.models.memory import MemoryModel
from physlearn.models.units import Units
from physlearn.training import Training
from systems import InputError, System
from systems.autograd_mode import recorded

if TYPE_CHECKING:
    from physlearn.forecasting.forecaster import Forecaster


MEMBER, CALIBRATION = "member.", "calibration."  # how the names of their tensors begin


def write(forecaster: Forecaster, path: str | os.PathLike[str]) -> None:
    """Write a forecaster; see `Forecaster.save`."""
    tensors = forecaster.model.inner.state_dict() | forecaster.model.units.tensors
    for k, member in enumerate(forecaster.members[1:], start=1):  # the first is the model itself
        tensors |= {f"{MEMBER}{k}.{name}": values for name, values in member.inner.state_dict().items()}
    if forecaster.calibration is not None:
        tensors |= {f"{CALIBRATION}{name}": values for name, values in vars(forecaster.calibration).items()}
    tensor_file.write(path, "forecaster", stored.settings_of(forecaster), tensors)


def read(
    cls: type[Forecaster],
    path: str | os.PathLike[str],
    device: str | torch.device,
    module: nn.Module | None,
    known: System | Callable[..., Tensor] | None,
) -> Forecaster:
    """Read a forecaster; see `Forecaster.load`."""
    settings, tensors = tensor_file.read(path, "forecaster")
    with tensor_file.understood(path), recorded():
        stored.check(settings, tensors)
        forecaster = cls(**stored.arguments_of(settings, module, known), device=device)
        coordinates, periods = tuple(settings["coordinates"]), stored.periods_of(settings, tensors)
        units = Units.take(tensors, len(coordinates), len(forecaster.channels.names))
        seed, parts = forecaster.seed, _members(tensors)
        calibration = _taken(tensors, CALIBRATION)
        if 1 + len(parts) != forecaster.n_members:
            raise InputError(f"it has the weights of {1 + len(parts)} members, but {forecaster.n_members} are declared")
        models = [forecaster._build(coordinates, periods, units, seed) for _ in range(1 + len(parts))]
        for model, weights in zip(models, [tensors, *parts], strict=True):
            stored.check_types(model, weights, forecaster.dtype)
            model.load_state_dict(weights)
            if isinstance(model, MemoryModel) and model.n_given != given_per_step(forecaster.channels):
                raise InputError(f"the inputs and parameters do not fit the weights of the model {model.name}")
        model = models[0]
        networks = [part for part in model.modules() if isinstance(part, Layers)]
        if isinstance(forecaster.activation, PerRole):
            forecaster.activation = PerRole(dict(zip(ROLES, [network.activation for network in networks], strict=True)))
        elif networks:
            forecaster.activation = networks[-1].activation  # with the stored values of its tables
        forecaster.prior, forecaster.origin = forecaster.beforehand.prior([]), stored.origin_of(settings)
        forecaster._adopt(forecaster.prior.completed(model, units), coordinates, periods)
        if parts:
            forecaster.members = [forecaster._settled(forecaster.prior.completed(one, units)) for one in models]
        if calibration:
            forecaster.calibration = Calibration.of_file(calibration, len(coordinates))
        forecaster.training, forecaster.step = Training(**settings["training"]), checked_step(settings.get("step"))
        forecaster.delays = stored.delays_of(settings)
        forecaster.comparison = stored.comparison_of(settings)
        forecaster.given_ranges, forecaster.units = stored.ranges_of(settings), stored.units_of(settings)
        forecaster.history = pd.DataFrame(settings["history"]).rename_axis("epoch")
        forecaster.loss, forecaster.loss_reason, forecaster.loss_method, forecaster.noise = stored.loss_of(settings)
    return forecaster


def _taken(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Remove the tensors whose names begin with a prefix from those of a file, and return them by the rest of their names."""
    return {name.removeprefix(prefix): tensors.pop(name) for name in list(tensors) if name.startswith(prefix)}


def _members(tensors: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Remove the weights of the members beside the first from the tensors of a file, and return them one by one."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, values in _taken(tensors, MEMBER).items():
        number, _, rest = name.partition(".")
        found.setdefault(number, {})[rest] = values
    return [found[number] for number in sorted(found, key=int)]
