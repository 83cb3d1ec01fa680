"""A trained model in the units of its data, evaluated in the dtype and on the device of the states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.physical import PhysicalModel
from systems import InputError
from systems.autograd_mode import outside_inference
from systems.floats import takes_arrays

if TYPE_CHECKING:
    from systems.compiled.field import Field


class LearnedFlow:
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
        return self._model_for(z).part("vector_field", z, t)

    @property
    def n_parameters(self) -> int:
        """The number of trained weights and biases."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def separable(self) -> bool:
        """Whether the learned Hamiltonian is T(p) + V(q)."""
        return self.model.separable

    @property
    def hamiltonian(self) -> Callable[[Tensor], Tensor]:
        """The learned energy, up to a constant: ``f.hamiltonian(z)`` maps ``(..., D)`` to ``(...)``."""
        return self._part("hamiltonian")

    @property
    def velocity(self) -> Callable[[Tensor], Tensor]:
        """The velocity dT/dp of a separable model: ``f.velocity(p)``."""
        return self._part("velocity")

    @property
    def force(self) -> Callable[[Tensor], Tensor]:
        """The force -dV/dq of a separable model: ``f.force(q)``."""
        return self._part("force")

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

    def _model_for(self, z: Tensor) -> PhysicalModel:
        """Return the model with the dtype and device of z, so that weights trained in float32 are used in float64."""
        key = (z.dtype, z.device)
        if key not in self._copies:
            self._copies[key] = self.model.copied_to(z.device, z.dtype)
        return self._copies[key]

    def _part(self, name: str) -> Callable[[Tensor], Tensor]:
        if not hasattr(self.model, name):
            raise AttributeError(f"the model {self.name} has no {name}")
        return partial(self._evaluate, name)

    @takes_arrays("x")
    @outside_inference
    def _evaluate(self, name: str, x: Tensor) -> Tensor:
        return self._model_for(x).part(name, x)

    def _settled(self, model: PhysicalModel) -> PhysicalModel:
        """Return a trained model on the device and in the type of the training, whose weights no longer change."""
        return model.to(self.device, self.dtype).eval().requires_grad_(False)
