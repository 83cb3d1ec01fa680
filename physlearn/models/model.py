"""Model: what every learnable flow is."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn


class Model(nn.Module):
    """A learnable vector field on D coordinates.

    ``integrate`` takes a model as it takes a system. States must have the dtype of the weights.
    """

    name: ClassVar[str]
    default_integrator: ClassVar[str]
    separable: ClassVar[bool] = False
    autonomous: ClassVar[bool] = True

    @abstractmethod
    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Fit the scales inside the model to the training data, before training."""

    @abstractmethod
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt as the model has it; no model depends on t."""

    def forward(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt."""
        return self.vector_field(0.0, z)
