"""Learner and Model: what everything that is trained is, and every learnable flow."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from physlearn.models.units import Structure


class Learner(nn.Module):
    """What is trained on pairs: it takes z, in the dtype of its weights, and gives what is held against the targets."""

    name: ClassVar[str]

    @abstractmethod
    def standardize(self, z: Float[Tensor, "n D"], target: Tensor) -> None:
        """Fit the scales inside the model to the training data, before training."""


class Model(Learner):
    """A learnable vector field on D coordinates: its targets are dz/dt.

    ``integrate`` takes a model as it takes a system. States must have the dtype of the weights.
    """

    default_integrator: ClassVar[str]
    structure: ClassVar[Structure] = "general"  # what a change of units must leave as it is
    separable: ClassVar[bool] = False
    autonomous: ClassVar[bool] = True

    @abstractmethod
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt as the model has it; no model depends on t."""

    def forward(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt."""
        return self.vector_field(0.0, z)
