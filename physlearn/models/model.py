"""Learner and Model: what everything that is trained is, and every learnable flow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from physlearn.models.units import Structure


class Learner(nn.Module):
    """What is trained on pairs: it takes z, in the dtype of its weights, and gives what is held against the targets.

    A class says ``compiled = True`` in its own body if the compiled training loops may train it: if it computes just what
    `Classifier`, `VectorFieldNetwork`, `HamiltonianNetwork` or one of the separable models does, from which it is derived,
    perhaps with other layers. The attribute is not inherited, since a subclass may compute something else.
    """

    name: ClassVar[str]
    compiled: ClassVar[bool] = False

    @abstractmethod
    def standardize(self, z: Float[Tensor, "n D"], target: Tensor) -> None:
        """Fit the scales inside the model to the training data, before training."""


class Model(Learner):
    """A learnable vector field on D coordinates: its targets are dz/dt.

    ``integrate`` takes a model as it takes a system. States must have the dtype of the weights.

    A network is constructed from ``(dim, hidden, activation, generator, angles)``, and draws its initial weights from the
    generator; one that takes no angles is not given them. A baseline is constructed from ``dim`` alone, and has a method
    ``solve(z, rate, *, weighted)`` in place of a training, as `physlearn.models.baselines.LeastSquaresModel` has.

    A model with a Hamiltonian has a method ``hamiltonian(z)``; one whose Hamiltonian splits says ``separable = True`` and has
    ``kinetic(p)``, ``potential(q)``, ``velocity(p)`` and ``force(q)``.

    Attributes
    ----------
    name
        What it is registered by.
    default_method
        Name of the method by which it is rolled out unless another is asked for.
    structure
        What a change of units must leave as it is, see `physlearn.models.units.Units.of`. Unless it is ``"general"``, the
        coordinates must be as many positions as momenta.
    separable
        Whether there is a Hamiltonian T(p) + V(q).
    baseline
        Whether it is solved for at once, and has no network to shape or train.
    takes_angles
        Whether it can see cosine and sine of a coordinate that has a period.
    """

    default_method: ClassVar[str]
    structure: ClassVar[Structure] = "general"
    separable: ClassVar[bool] = False
    baseline: ClassVar[bool] = False
    takes_angles: ClassVar[bool] = True
    autonomous: ClassVar[bool] = True

    @classmethod
    def needs_momenta(cls) -> bool:
        """Return whether the coordinates must be as many positions as momenta."""
        return cls.structure != "general"

    @classmethod
    def is_hamiltonian(cls) -> bool:
        """Return whether its flow is Hamiltonian, so that it conserves an energy."""
        return hasattr(cls, "hamiltonian")

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int) -> int:
        """Return a lower bound of the number of weights and biases, by which the claims of a file are checked.

        A model without layers of these widths overrides it. angles: the number of coordinates that it takes as angles.
        """
        # a separable model has networks of half of the coordinates each; an angle is one input more of one of them
        weights = sum(a * b for a, b in pairwise([max(dim // 2, 1) + angles, *hidden]))
        return weights + sum(hidden)

    @abstractmethod
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt as the model has it; no model depends on t."""

    def forward(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt."""
        return self.vector_field(0.0, z)
