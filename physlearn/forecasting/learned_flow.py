"""A trained model in the units of its data, evaluated in the dtype and on the device of the states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.forecasting.channels import Channels, Ranges
from physlearn.forecasting.energy import EnergyParts
from physlearn.forecasting.given_flow import GivenFlow
from physlearn.forecasting.given_values import GivenValues
from physlearn.integrators import integrate
from physlearn.models.physical import PhysicalModel
from systems import InputError, Orbit
from systems.autograd_mode import outside_inference
from systems.floats import takes_arrays

if TYPE_CHECKING:
    from systems.compiled.field import Field


class LearnedFlow(EnergyParts):
    """Base class of `Forecaster`: the trained model and its energy, velocity and force.

    Parameters
    ----------
    name
        Name of the model.
    dtype, device
        Type and device of the training.
    """

    autonomous = True

    def __init__(self, name: str, dtype: torch.dtype, device: torch.device) -> None:
        self.name = name
        self.dtype = dtype
        self.device = device
        self.coordinates: tuple[str, ...] = ()
        self.periods: dict[str, float] = {}
        self.units: dict[str, str] = {}
        self.channels = Channels()
        self.given_ranges: Ranges = {}
        self._model: PhysicalModel | None = None
        self._copies: dict[tuple[torch.dtype, torch.device], PhysicalModel] = {}
        self._compiled: Field | None = None

    @property
    def model(self) -> PhysicalModel:
        """The trained model in the units of the data, with the dtype and device of the training.

        Raises InputError before ``fit``.
        """
        if self._model is None:
            raise InputError(f"the forecaster {self.name} has not been trained: call fit first")
        return self._model

    def given(self, *, parameters: Mapping[str, Any] | None = None, inputs: Mapping[str, Any] | None = None) -> GivenFlow:
        """Return the flow with given values of its parameters and inputs.

        `~physlearn.integrators.integrate`, the metrics and `physlearn.chaos` accept it as any flow.

        Parameters
        ----------
        parameters
            A number for each parameter, such as ``{"mu": 2.0}``.
        inputs
            For each input, a function of time, a pair (times, values), an Orbit or a number, as in ``forecast``.

        Returns
        -------
        GivenFlow
            The flow. It has a ``hamiltonian`` if the model has one and no value depends on time.

        Raises
        ------
        InputError
            Before ``fit``, or if a value is missing, superfluous or invalid.

        Warns
        -----
        AccuracyWarning
            If values are outside of those of the training.
        """
        return GivenFlow(self, self._values(parameters, inputs))

    @takes_arrays("t", "z")
    @outside_inference
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the learned dz/dt.

        Parameters
        ----------
        t
            Time; not used.
        z : shape ``(..., D)``
            States, in the units of the data.

        Returns
        -------
        Tensor, shape ``(..., D)``
            dz/dt.
        """
        return self._needing_nothing().model_for(z).part("vector_field", z, t)

    @property
    def n_parameters(self) -> int:
        """The number of trained weights and biases."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def separable(self) -> bool:
        """Whether the learned Hamiltonian is T(p) + V(q)."""
        return self.model.separable

    def _values(
        self,
        parameters: Mapping[str, Any] | None,
        inputs: Mapping[str, Any] | None,
        batch: Sequence[int] = (),
        t: Tensor | None = None,
    ) -> GivenValues:
        """Return the checked values of the parameters and inputs; see ``GivenValues.of``. Raises InputError before ``fit``."""
        assert self.model is not None  # or else it raises
        return GivenValues.of(self.channels, parameters, inputs, self.given_ranges, batch=batch, t=t)

    def _orbit(self, values: GivenValues, z0: Tensor, t: Tensor, method: str | None, **options: Any) -> Orbit:
        """Return the orbits from z0; see `Forecaster.forecast`.

        Parameters
        ----------
        values
            The given values of the orbits.
        z0 : shape ``(..., D)``
            Initial states.
        t : shape ``(T,)`` or ``(..., T)``
            Output times.
        method
            Name of the integration method, or None for the default of the model.
        **options
            Options of `~physlearn.integrators.integrate`.
        """
        turns = self.model.turns(z0, self.periods, self.coordinates)
        if self.channels.names:
            flow = GivenFlow(self, values)
            orbit = integrate(flow, flow.joined(z0 - turns), t, method or flow.default_method, **options)
            orbit = replace(orbit, z=flow.states(orbit.z), coordinates=self.coordinates)
        else:
            orbit = integrate(self, z0 - turns, t, method or self.model.default_method, **options)
        return replace(orbit, z=orbit.z + turns.unsqueeze(-2), units=self.units)

    def compiled_field(self) -> Field:
        """Return the learned flow for compiled solvers, in float64. Raises UntraceableError if it has no compiled form."""
        if self._compiled is None:
            self._compiled = self.model.copied_to(torch.device("cpu"), torch.float64).compiled_field()
        return self._compiled

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_copies": {}, "_compiled": None}

    def _adopt(self, model: PhysicalModel, coordinates: tuple[str, ...], periods: Mapping[str, float]) -> None:
        self._model = self._settled(model)
        self.coordinates, self.periods = coordinates, dict(periods)
        self._copies, self._compiled = {}, None

    def model_for(self, z: Tensor) -> PhysicalModel:
        """Return the model with the dtype and device of z, so that weights trained in float32 are used in float64."""
        key = (z.dtype, z.device)
        if key not in self._copies:
            self._copies[key] = self.model.copied_to(z.device, z.dtype)
        return self._copies[key]

    def _needing_nothing(self) -> LearnedFlow:
        """Return the flow itself. Raises InputError if it needs given values."""
        if self.channels.names:
            raise InputError(
                f"the flow depends on {', '.join(self.channels.names)}: use the flow that f.given(parameters={{...}}, "
                "inputs={...}) returns for given values"
            )
        return self

    def _part(self, name: str) -> Callable[[Tensor], Tensor]:
        if not hasattr(self.model, name):
            raise AttributeError(f"the model {self.name} has no {name}")
        return partial(self._evaluate, name)

    @takes_arrays("x")
    @outside_inference
    def _evaluate(self, name: str, x: Tensor) -> Tensor:
        return self._needing_nothing().model_for(x).part(name, x)

    def _settled(self, model: PhysicalModel) -> PhysicalModel:
        """Return a trained model on the device and in the type of the training, whose weights no longer change."""
        return model.to(self.device, self.dtype).eval().requires_grad_(False)
