"""The given values of forecasts: checked, and sorted into constants, values that each orbit carries, and signals."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.forecasting.channels import Channels, Ranges
from physlearn.forecasting.signals import Signal
from systems import AccuracyWarning, InputError
from systems.errors import outside
from systems.floats import floats

BEYOND = 0.1  # of the range in the training data, by which given values may leave it without a warning


@dataclass(frozen=True)
class Carried:
    """A value that differs between the orbits, in a column that travels with the states."""

    column: int


@dataclass(frozen=True, eq=False)
class GivenValues:
    """One source for each channel of a forecaster.

    Parameters
    ----------
    sources
        A number, a `Carried` column, or a `Signal`, for each channel.
    carried : shape ``(..., c)``, float64
        The columns of each orbit.
    row : int, optional
        The column with the number of the orbit, if a signal differs between orbits.
    """

    sources: tuple[float | Carried | Signal, ...]
    carried: Float[Tensor, "*batch c"]
    row: int | None = None

    @classmethod
    def of(
        cls,
        channels: Channels,
        parameters: Mapping[str, Any] | None,
        inputs: Mapping[str, Any] | None,
        ranges: Ranges,
        *,
        batch: Sequence[int] = (),
        t: Tensor | None = None,
    ) -> GivenValues:
        """Return the values of all channels of orbits.

        Parameters
        ----------
        channels
            The channels that need values.
        parameters
            A number, or one per orbit, for each parameter.
        inputs
            A number or anything that `Signal.of` takes, for each input.
        ranges
            Smallest and largest value of each channel in the training.
        batch
            Shape of the batch of initial states.
        t
            Output times.

        Raises
        ------
        InputError
            If a value is missing, superfluous or not finite, or its shape does not fit.

        Warns
        -----
        AccuracyWarning
            If values are outside of those of the training.
        """
        batch = torch.Size(batch)
        constants = _named("parameters", parameters, channels.parameters)
        signals = _named("inputs", inputs, channels.inputs)
        sources: list[float | Carried | Signal] = []
        columns: list[Tensor] = []
        for name, given in {**constants, **signals}.items():
            source: float | Carried | Signal
            if (name in signals and _number(given) is None) or callable(given):
                if name in constants:
                    raise InputError(f"the parameter {name} is constant: give a number, or one per orbit, not a function")
                source = Signal.of(name, given, t, batch)
                extremes = source.extremes(t)
            else:
                values = floats([given] if _number(given) is not None else given, name).detach().cpu().double()
                if not values.isfinite().all() or (values.numel() != 1 and values.shape != batch):
                    raise InputError(
                        f"the parameter {name} must be a finite number, or one for each of the orbits, of shape "
                        f"{tuple(batch)}, not {given!r:.80}"
                    )
                source, extremes = Carried(len(columns)), (float(values.min()), float(values.max()))
                if values.numel() == 1:
                    source = float(values)
                else:
                    columns.append(values)
            sources.append(source)
            _check_range(name, extremes, ranges)
        row = None
        if batch.numel() > 1 and any(isinstance(source, Signal) and source.may_differ for source in sources):
            row = len(columns)
            columns.append(torch.arange(batch.numel(), dtype=torch.float64).reshape(batch))
        carried = torch.stack(columns, dim=-1) if columns else torch.empty(*batch, 0, dtype=torch.float64)
        return cls(tuple(sources), carried, row)

    @property
    def constant(self) -> bool:
        """Whether no value depends on time."""
        return not any(isinstance(source, Signal) for source in self.sources)

    def at(self, t: Tensor | float | None, carried: Float[Tensor, "*batch c"]) -> Float[Tensor, "*batch k"]:
        """Return the given values of states with these columns, in the dtype of the columns.

        Parameters
        ----------
        t
            Time; not used if no value depends on it.
        carried : shape ``(..., c)``
            Columns that travelled with the states.
        """
        return torch.stack([self._value(source, t, carried) for source in self.sources], dim=-1)

    def _value(self, source: float | Carried | Signal, t: Tensor | float | None, carried: Tensor) -> Tensor:
        if isinstance(source, Carried):
            return carried[..., source.column]
        if not isinstance(source, Signal):
            return carried.new_full(carried.shape[:-1], source)
        assert t is not None
        value = source.at(t).to(carried)
        if self.row is not None and value.numel() > 1:
            return value[carried[..., self.row].detach().round().long()]
        return value.reshape(()).expand(carried.shape[:-1])


def _named(what: str, given: Mapping[str, Any] | None, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the values in the order of the names. Raises InputError unless there is one for each."""
    found = {} if given is None else given
    if not isinstance(found, Mapping):
        raise InputError(f"{what} must map names to values, such as {what}={{'mu': 2.0}}, not {given!r:.80}")
    if superfluous := [name for name in found if name not in names]:
        known = f"its {what} are {', '.join(names)}" if names else f"it has no {what}"
        raise InputError(f"{what} has a value for {superfluous[0]!r}, which the forecaster was not trained with: {known}")
    if missing := [name for name in names if name not in found]:
        raise InputError(f"the forecaster needs a value for {missing[0]!r}: give {what}={{{missing[0]!r}: ...}}")
    return {name: found[name] for name in names}


def _number(given: Any) -> float | None:
    """Return a single number as such, and None for anything else."""
    scalar = isinstance(given, int | float) or (getattr(given, "ndim", None) == 0 and hasattr(given, "__float__"))
    return float(given) if scalar and not isinstance(given, bool) else None


def _check_range(name: str, extremes: tuple[float, float] | None, ranges: Ranges) -> None:
    if extremes is None or name not in ranges:
        return
    low, high = ranges[name]
    slack = BEYOND * (high - low)
    if extremes[0] < low - slack or extremes[1] > high + slack:
        found = f"is {extremes[0]:.4g}" if extremes[0] == extremes[1] else "is between {:.4g} and {:.4g}".format(*extremes)
        warnings.warn(
            f"{name} {found}, but the training had values from {low:.4g} to "
            f"{high:.4g}, so the forecast is an extrapolation: train with such values, or do not trust it",
            AccuracyWarning,
            stacklevel=outside(),
        )
