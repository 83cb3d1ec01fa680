"""A trained flow with given values of its inputs and parameters, as a flow of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.forecasting.energy import EnergyParts
from physlearn.forecasting.given_values import Carried, GivenValues
from systems import InputError
from systems.autograd_mode import outside_inference
from systems.floats import takes_arrays
from systems.states import check_states

if TYPE_CHECKING:
    from physlearn.forecasting.learned_flow import LearnedFlow
    from systems.compiled.field import Field


class GivenFlow(EnergyParts):
    """The flow of a trained model whose inputs and parameters have given values.

    `~physlearn.integrators.integrate`, the metrics and `physlearn.chaos` accept it as any flow. If no value depends on time,
    it has a ``hamiltonian`` if the model has one, and ``velocity`` and ``force`` if the model is separable.

    In a forecast of many orbits, values that differ between them are further coordinates, whose rates are zero. In the state
    of a model with momenta, they follow the positions, and as many unused momenta follow the momenta.

    Parameters
    ----------
    learned
        The trained flow.
    values
        The given values.
    """

    def __init__(self, learned: LearnedFlow, values: GivenValues) -> None:
        self._learned, self._values = learned, values
        self.name, self.periods = learned.name, learned.periods
        self.step: float | None = getattr(learned, "step", None)
        self.autonomous = values.constant
        model, dim, self._width = learned.model.inner, len(learned.coordinates), values.carried.shape[-1]
        self._paired = model.structure != "general"
        self._first = dim // 2 if self._paired else dim  # coordinates before the carried columns
        self.separable = model.separable and values.constant
        driven = model.separable and not values.constant  # its method is for a Hamiltonian that does not depend on time
        self.default_method = "gauss-legendre-4" if driven else model.default_method
        names = tuple(f"_given{k}" for k in range(self._width)), tuple(f"_unused{k}" for k in range(self._width))
        first, last = learned.coordinates[: self._first], learned.coordinates[self._first :]
        self.coordinates = (*first, *names[0], *last, *(names[1] if self._paired else ()))

    def joined(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch N"]:
        """Return states, each followed by its carried columns."""
        check_states(z, self._learned.coordinates)
        if not self._width:
            return z
        carried = self._values.carried.to(z)
        if (row := self._values.row) is not None and len(carried[..., row].unique()) < carried[..., row].numel():
            raise InputError(f"{carried[..., row].numel()} orbits cannot be told apart in {z.dtype}: give states in float64")
        unused = torch.zeros_like(carried) if self._paired else carried[..., :0]
        return torch.cat([z[..., : self._first], carried, z[..., self._first :], unused], dim=-1)

    def states(self, y: Float[Tensor, "*batch N"]) -> Float[Tensor, "*batch D"]:
        """Return the states without their carried columns."""
        return y if not self._width else y[..., self._places]

    @takes_arrays("t", "z")
    @outside_inference
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch N"]) -> Float[Tensor, "*batch N"]:
        """Return dz/dt.

        Parameters
        ----------
        t
            Time, on which only inputs depend.
        z : shape ``(..., D)``
            States, in the units of the data.

        Returns
        -------
        Tensor, shape ``(..., D)``
            dz/dt.
        """
        rate = self._learned.model_for(z).part("vector_field", self._whole(t, z), t)
        if not self._width:
            return rate
        still = rate.new_zeros(*rate.shape[:-1], self._width)
        first, last = rate[..., : self._first], rate[..., self._first :]
        return torch.cat([first, still, last, *([still] if self._paired else [])], dim=-1)

    def compiled_field(self) -> Field:
        """Return the flow for compiled solvers, in float64. Raises UntraceableError if it has no compiled form."""
        return self._compiled

    @cached_property
    def _compiled(self) -> Field:
        from physlearn.models.folded import Change, folded  # imports numba, which is slow
        from systems.compiled.operators import UntraceableError

        if not self._values.constant:
            raise UntraceableError("inputs depend on time")
        dim, k = len(self._learned.coordinates), len(self._values.sources)
        inner, shift = np.zeros((dim + k, len(self.coordinates))), np.zeros(dim + k)
        inner[range(dim), self._places] = 1
        for place, source in enumerate(self._values.sources, start=dim):
            if isinstance(source, Carried):
                inner[place, self._first + source.column] = 1
            elif isinstance(source, float):
                shift[place] = source
        model = self._learned.model.copied_to(torch.device("cpu"), torch.float64)
        return folded(model, Change(inner, shift, inner[:dim].T.copy()))

    @property
    def _places(self) -> list[int]:
        """The indices of the coordinates of the trained flow."""
        dim = len(self._learned.coordinates)
        return [i if i < self._first else i + self._width for i in range(dim)]

    def _whole(self, t: Tensor | float | None, y: Float[Tensor, "*batch N"]) -> Float[Tensor, "*batch D_and_given"]:
        """Return the inputs of the model: states, followed by the given values."""
        carried = y[..., self._first : self._first + self._width]
        return torch.cat([self.states(y), self._values.at(t, carried)], dim=-1)

    def _part(self, name: str) -> Callable[[Tensor], Tensor]:
        if not self._values.constant or not hasattr(self._learned.model, name):
            why = "with inputs that depend on time" if not self._values.constant else "of this kind"
            raise AttributeError(f"the model {self.name} {why} has no {name}")
        return partial(self._evaluate, name)

    @takes_arrays("x")
    @outside_inference
    def _evaluate(self, name: str, x: Tensor) -> Tensor:
        n, model = self._first, self._learned.model_for(x)
        if name == "hamiltonian":
            return model.part(name, self._whole(None, x))
        first, carried = x[..., :n], x[..., n:]
        if name == "force":
            first = torch.cat([first, self._values.at(None, carried)], dim=-1)
        found = model.part(name, first)
        return torch.cat([found, torch.zeros_like(carried)], dim=-1) if self._width else found
