"""The settings in the file of a forecaster, and checks of their types and of the size of the model that they describe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from math import isfinite, nan
from typing import Any, Protocol

import pandas as pd
import torch
from torch import Tensor, nn

from physlearn import models, schema
from physlearn.activations import Activation
from physlearn.activations.description import check_description, describe, numbers_of, restore
from physlearn.forecasting.beforehand import described, restored
from physlearn.forecasting.channels import Channels, Ranges
from physlearn.forecasting.delays import Delays
from physlearn.models.informed import Prior
from physlearn.models.options import checked
from physlearn.models.own import OWN, kind_of
from physlearn.models.units import IN_FILES
from physlearn.training import Training
from systems import InputError, System
from systems.periodic import check_periods
from systems.units_of_data import check_units

DTYPES = ("float16", "bfloat16", "float32", "float64")
ENTRIES = (
    "model", "hidden", "activation", "prior", "origin", "options", "angles", "inputs", "parameters", "delays", "given_ranges",
    "seed", "members", "dtype", "coordinates", "periods", "units", "step", "training", "history", "comparison", "learned",
)  # fmt: skip


class Described(Protocol):
    """The attributes of a forecaster that a file stores."""

    name: str
    hidden: tuple[int, ...]
    activation: str | Activation
    options: Mapping[str, Any]
    angles: bool | tuple[str, ...] | None
    channels: Channels
    delays: Delays | None
    given_ranges: Ranges
    prior: Prior
    origin: dict[str, Any]
    seed: int
    n_members: int
    dtype: torch.dtype
    coordinates: tuple[str, ...]
    periods: dict[str, float]
    units: dict[str, str]
    step: float | None
    training: Training | None
    history: pd.DataFrame
    comparison: pd.DataFrame
    loss: str
    loss_reason: str
    loss_method: str
    noise: dict[str, float]


def settings_of(forecaster: Described) -> dict[str, Any]:
    """Return the settings of a forecaster that a file stores beside its tensors, as JSON-ready values."""
    return {
        "model": forecaster.name,
        "hidden": forecaster.hidden,
        "activation": describe(forecaster.activation) if models.find(forecaster.name).layered else None,
        "prior": described(forecaster.prior),
        "origin": forecaster.origin,
        "options": forecaster.options,
        "angles": forecaster.angles,
        "inputs": forecaster.channels.inputs,
        "parameters": forecaster.channels.parameters,
        "delays": None if forecaster.delays is None else asdict(forecaster.delays),
        "given_ranges": forecaster.given_ranges,
        "seed": forecaster.seed,
        "members": forecaster.n_members,
        "dtype": str(forecaster.dtype).removeprefix("torch."),
        "coordinates": forecaster.coordinates,
        "periods": forecaster.periods,
        "units": forecaster.units,
        "step": forecaster.step,
        "training": None if forecaster.training is None else asdict(forecaster.training),
        "history": forecaster.history.to_dict("list"),
        "comparison": _finite(forecaster.comparison.reset_index().to_dict("list")) if len(forecaster.comparison) else {},
        "learned": {
            "loss": forecaster.loss,
            "why": forecaster.loss_reason,
            "method": forecaster.loss_method,
            "noise": {name: value if isfinite(value) else None for name, value in forecaster.noise.items()},
        },
    }


def arguments_of(
    settings: Mapping[str, Any], module: nn.Module | None = None, known: System | Callable[..., Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of the Forecaster that the settings of a file describe.

    Raises InputError unless a module of the user's own, or a known function, is given exactly if the file needs one.
    """
    model = settings["model"]
    if module is None and model in OWN:
        raise InputError(
            "it holds the weights of a module of your own, but not its code: give the module, load(path, module=...)"
        )
    if module is not None and kind_of(module).name != model:
        raise InputError(
            f"it holds the weights of the model {model}, not those of a {type(module).__name__}: leave module out"
        )
    return {
        "model": model if module is None else module,
        "hidden": settings["hidden"],
        "activation": restore(settings["activation"]) if models.find(model).layered else "sine",
        **restored(settings, known),
        "angles": settings.get("angles", False),
        "delays": (settings["delays"]["dim"], settings["delays"]["lag"]) if settings.get("delays") else False,
        "inputs": schema.names(settings.get("inputs", []), "inputs"),
        "parameters": schema.names(settings.get("parameters", []), "parameters"),
        "seed": settings["seed"],
        "members": settings.get("members", 1),
        "dtype": getattr(torch, settings["dtype"]),
        **_options(settings),
    }


def delays_of(settings: Mapping[str, Any]) -> Delays | None:
    """Return the delays of a forecaster, of which files of earlier versions have none."""
    found = settings.get("delays")
    if found is None:
        return None
    told = schema.closed(found, "delays", [field.name for field in fields(Delays)])
    names = schema.names(told["coordinates"], "measured coordinates")
    periods = check_periods({schema.text(name, "name"): value for name, value in told["periods"]}, names)
    delays = Delays.of((schema.whole(told["dim"], "dim", 2, schema.LONGEST), schema.number(told["lag"], "lag")))
    assert delays is not None
    delays = replace(delays, coordinates=names, periods=tuple(periods.items()))
    if delays.names != tuple(settings["coordinates"]):
        raise InputError("the delays do not fit the coordinates of the model: write the file again")
    return delays


def ranges_of(settings: Mapping[str, Any]) -> Ranges:
    """Return the ranges of the given values in the training, of which files of earlier versions have none."""
    given = [name for part in ("inputs", "parameters") for name in settings.get(part, [])]
    found = schema.closed(settings.get("given_ranges", {}), "given_ranges", given)
    for name, pair in found.items():
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, float | int) and isfinite(x) for x in pair)):
            raise InputError(f"the range of {name!r:.80} must be two numbers, not {pair!r:.80}")
    return {str(name): (float(low), float(high)) for name, (low, high) in found.items()}


def loss_of(settings: Mapping[str, Any]) -> tuple[str, str, str, dict[str, float]]:
    """Return the loss, its reason, its method and the noise of the data, which are empty in files of earlier versions."""
    told = schema.closed(settings.get("learned", {}), "entry 'learned'", ("loss", "why", "method", "noise"))
    noise = schema.mapped(told.get("noise", {}), "noise")
    texts = [schema.text(told.get(name, ""), name) for name in ("loss", "why", "method")]
    if not all(value is None or (isinstance(value, float | int) and value >= 0) for value in noise.values()):
        raise InputError("noise must map coordinates to standard deviations of at least 0: write the file again")
    return (*texts, {str(name): nan if value is None else float(value) for name, value in noise.items()})  # type: ignore[return-value]


def comparison_of(settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return the figures of the models from which the best was chosen, if it was."""
    found = pd.DataFrame(schema.columns(settings.get("comparison", {}), "comparison", ("model", "failure")))
    return found.set_index("model") if "model" in found else pd.DataFrame()


def _finite(columns: Mapping[Any, list[Any]]) -> dict[str, list[Any]]:
    """Return columns with None for numbers that are not finite."""

    def plain(x: Any) -> Any:
        return None if isinstance(x, float) and not isfinite(x) else x

    return {str(name): [plain(x) for x in column] for name, column in columns.items()}


def origin_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the system of the training orbits and its parameters, which files of earlier versions do not have."""
    found = schema.closed(settings.get("origin", {}), "origin", ("system", "parameters"))
    if "system" not in found:
        return {}
    return {
        "system": schema.name(found["system"], "system"),
        "parameters": schema.mapped(found.get("parameters", {}), "parameters"),
    }


def periods_of(settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the periods of the coordinates in a file; files of version 0.1.0 have neither units nor periods."""
    current = any(name.startswith(IN_FILES) for name in tensors)
    return check_periods(settings["periods"] if current else {}, settings["coordinates"])


def units_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the units of the coordinates, of which files of earlier versions have none."""
    return check_units(schema.mapped(settings.get("units", {}), "units"), settings["coordinates"])


def check(settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raise InputError unless the settings have the right types and the tensors are large enough for the model.

    The model is not built for this, so a file that describes a huge model takes no memory.
    """
    schema.closed(settings, "settings", ENTRIES)
    model = schema.text(settings["model"], "model")
    models.find(model)
    coordinates = schema.names(settings["coordinates"], "coordinates")
    schema.whole(settings["seed"], "seed", -(2**63), 2**64 - 1)
    schema.whole(settings.get("members", 1), "members", 1, max(1, len(tensors)))
    if settings["dtype"] not in DTYPES:
        raise InputError(f"dtype must be {', '.join(DTYPES)}, not {settings['dtype']!r:.80}")
    schema.columns(settings["history"], "history")
    schema.mapped(settings["training"], "training")
    needed = len(coordinates) + _needed(model, len(coordinates), settings, len(tensors))
    if needed > (held := sum(tensor.numel() for tensor in tensors.values())):
        raise InputError(f"its settings describe a model with at least {needed} numbers, but the file has {held}")
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise InputError(f"the tensor {name!r:.80} must have finite floating-point numbers: write the file again")


def check_types(model: nn.Module, weights: Mapping[str, Tensor], declared: torch.dtype) -> None:
    """Raise InputError unless the tensors of a model have the types that follow from the type that the file declares."""
    for name, own in model.state_dict().items():
        found = weights.get(name, own).dtype
        narrowed = own.dtype != declared and found == torch.float32  # by a device without float64
        if found != own.dtype and not narrowed:
            raise InputError(
                f"the tensor {name!r:.80} has the type {found}, but that of a model of {declared} has {own.dtype}: write the "
                "file again"
            )


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the model, of which files of earlier versions have none."""
    return checked(settings["model"], schema.mapped(settings.get("options", {}), "options"))


def _angles(settings: Mapping[str, Any]) -> int:
    """Return the number of coordinates that the networks take as angles, which is 0 in files of version 0.1.0."""
    angles = settings.get("angles", False)
    if angles is None or isinstance(angles, bool):
        return len(schema.mapped(settings["periods"], "periods")) if angles else 0
    return len(schema.names(angles, "angles"))


def _needed(model: str, dim: int, settings: Mapping[str, Any], tensors: int) -> int:
    """Return a lower bound on the number of values that such a model has."""
    found, options = models.find(model), _options(settings)
    if not found.layered:
        return found.fewest_numbers(dim, (), 0, **options)
    hidden = [schema.whole(width, "each width", 1, 10**9) for width in schema.listed(settings["hidden"], "hidden", tensors)]
    if not hidden:
        raise InputError("hidden must be a non-empty list of positive widths, not []")
    check_description(settings["activation"])
    given = sum(len(schema.names(settings.get(name, []), name)) for name in ("inputs", "parameters"))
    fewest = found.fewest_numbers(dim, hidden, _angles(settings) + given, **options)
    return fewest if found.baseline else fewest + numbers_of(settings["activation"], hidden)
