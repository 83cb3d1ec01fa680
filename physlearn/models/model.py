"""The base classes of everything that trains: Learner, and Model for learnable flows."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from physlearn.models.units import Structure

if TYPE_CHECKING:
    from systems.compiled.field import Field


class Learner(nn.Module):
    """Base class of modules that train on pairs: a call maps z, in the dtype of the weights, to predictions of the targets.

    A class sets ``compiled = True`` in its own body if the compiled training loops may train it. It must then derive from
    `Classifier`, `VectorFieldNetwork`, `HamiltonianNetwork` or one of the separable models and compute the same, except that
    its layers may differ. The attribute is not inherited, because a subclass may compute something else.

    Parameters
    ----------
    *args, **kwargs
        Passed to ``torch.nn.Module``.
    """

    name: ClassVar[str]
    compiled: ClassVar[bool] = False

    @abstractmethod
    def standardize(self, z: Float[Tensor, "n D"], target: Tensor) -> None:
        """Take the scales of the model from the training data, before training.

        Parameters
        ----------
        z : shape ``(n, D)``
            Training inputs.
        target : shape ``(n, ...)``
            Training targets.
        """


class Model(Learner):
    """Base class of learnable vector fields on D coordinates, whose targets are dz/dt.

    ``integrate`` accepts models as well as systems. States must have the dtype of the weights.

    The constructor of a network takes ``(dim, hidden, activation, generator, angles)``, without ``angles`` if
    ``takes_angles`` is False, and draws the initial weights from the generator. The constructor of a baseline takes ``dim``,
    and ``angles`` if ``takes_angles`` is True; instead of training, a baseline has a method ``solve(z, rate, *, weighted)``,
    like ``physlearn.models.baselines.LeastSquaresModel``. A model with ``options`` takes them as further keyword arguments.

    A model with a Hamiltonian has a method ``hamiltonian(z)``. If the Hamiltonian splits, ``separable`` is True and the model
    has ``kinetic(p)``, ``potential(q)``, ``velocity(p)`` and ``force(q)``.

    Parameters
    ----------
    *args, **kwargs
        Passed to ``torch.nn.Module``.

    Attributes
    ----------
    name
        Name under which the model is registered.
    default_method
        Name of the default integration method.
    structure
        Structure that a change of units must preserve, see ``models.units.Units.of``. Unless it is ``"general"`` or
        ``"origin"``, the coordinates must be pairs of positions and momenta, or of positions and velocities if it is
        ``"lagrangian"``.
    separable
        Whether the Hamiltonian is T(p) + V(q).
    baseline
        Whether the model is fitted in one step and has no network to train.
    layered
        Whether the networks have hidden layers of the given widths with the given activation.
    takes_angles
        Whether the networks can take the cosine and sine of a coordinate that has a period.
    takes_given
        Whether the networks can take given values, such as parameters: the constructor then has an argument ``given``, their
        number, and states are followed by these values, whose rates are not predicted.
    continues
        Whether the model continues a measured past and is no vector field: `physlearn.models.memory.MemoryModel`.
    options
        Settings of the model's own, such as ``{"degree": 3}``, by name, with their defaults, which determine their types. A
        default may be a number, a text, True or False, None, or a tuple of these.
    """

    default_method: ClassVar[str]
    structure: ClassVar[Structure] = "general"
    separable: ClassVar[bool] = False
    baseline: ClassVar[bool] = False
    layered: ClassVar[bool] = True
    takes_angles: ClassVar[bool] = True
    takes_given: ClassVar[bool] = False
    continues: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Any]] = {}
    autonomous: ClassVar[bool] = True

    @classmethod
    def needs_momenta(cls) -> bool:
        """Return whether the coordinates must be pairs of positions and momenta, or of positions and velocities."""
        return cls.structure not in ("general", "origin")

    @classmethod
    def applies(cls, dim: int) -> bool:
        """Return whether the model is worth trying on so many coordinates, with its default options.

        Parameters
        ----------
        dim
            Number of coordinates.

        Returns
        -------
        bool
            True, unless a subclass would have too many coefficients.
        """
        return True

    @classmethod
    def is_hamiltonian(cls) -> bool:
        """Return whether the flow is Hamiltonian, so that it conserves an energy."""
        return hasattr(cls, "hamiltonian")

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Raise InputError for options that the model does not accept; a model with options overrides this method.

        Parameters
        ----------
        options
            Values of all options, which already have the types of their defaults.

        Raises
        ------
        InputError
            If a value is out of range.
        """

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int) -> int:
        """Return a lower bound on the number of weights and biases, which is used to check files.

        A model without layers of these widths overrides this method. If it has options, they follow as keyword arguments.

        Parameters
        ----------
        dim
            Number of coordinates.
        hidden
            Widths of the hidden layers.
        angles
            Number of coordinates that the networks take as angles.

        Returns
        -------
        int
            The lower bound.
        """
        # each network of a separable model has half of the coordinates; an angle adds one input to one of the networks
        weights = sum(a * b for a, b in pairwise([max(dim // 2, 1) + angles, *hidden]))
        return weights + sum(hidden)

    def compiled_field(self) -> Field:
        """Return the flow for compiled solvers, with the present weights, which must be in float64.

        Returns
        -------
        Field
            The flow.

        Raises
        ------
        UntraceableError
            If the model has no compiled form. The message says why.
        """
        from physlearn.models.folded import folded  # imports numba, which is slow

        return folded(self)

    @abstractmethod
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the predicted dz/dt.

        Parameters
        ----------
        t
            Time; no model depends on it.
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            dz/dt.
        """

    def forward(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the predicted dz/dt.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            dz/dt.
        """
        return self.vector_field(0.0, z)
