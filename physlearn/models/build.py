"""Models by name."""

from __future__ import annotations

from collections.abc import Sequence

from physlearn.activations import Activation
from physlearn.models.baselines import CubicHamiltonian, LinearModel
from physlearn.models.classifier import Classifier
from physlearn.models.dissipative import DissipativeHamiltonianNetwork, DissipativeMechanicalNetwork
from physlearn.models.hamiltonian import HamiltonianNetwork, check_even
from physlearn.models.inputs import NO_ANGLES, Angles
from physlearn.models.model import Model
from physlearn.models.separable import MechanicalHamiltonianNetwork, SeparableHamiltonianNetwork
from physlearn.models.splines import SplineClassifier, SplineHamiltonian, SplineVectorField
from physlearn.models.units import Structure
from physlearn.models.vector_field import VectorFieldNetwork
from systems import InputError, UnknownNameError
from systems.scalars import seeded

NETWORKS = {
    cls.name: cls
    for cls in (
        VectorFieldNetwork,
        HamiltonianNetwork,
        SeparableHamiltonianNetwork,
        MechanicalHamiltonianNetwork,
        DissipativeHamiltonianNetwork,
        DissipativeMechanicalNetwork,
        SplineVectorField,
        SplineHamiltonian,
    )
}
BASELINES = {cls.name: cls for cls in (LinearModel, CubicHamiltonian)}
CLASSIFIERS = {cls.name: cls for cls in (Classifier, SplineClassifier)}


def names() -> list[str]:
    """The names of all models: networks, then baselines."""
    return [*NETWORKS, *BASELINES]


def check_name(name: str) -> None:
    """Raise UnknownNameError (a KeyError), listing the names there are, for any other."""
    if name not in names():
        raise UnknownNameError(f"no model {name!r}; there are {', '.join(names())}")


def check_angles(name: str | None, angles: bool | tuple[str, ...] | Angles) -> None:
    """Raise InputError where a baseline is to take angles."""
    if angles and name in BASELINES:
        raise InputError(f"the model {name} has no network that could see cosines and sines of angles: leave angles out")


def structure_of(name: str, dim: int) -> Structure:
    """Return what a change of units must leave as it is, for a model of that name on that many coordinates.

    Raises UnknownNameError for an unknown model, InputError for an odd number of coordinates where momenta are needed.
    """
    check_name(name)
    structure = {**NETWORKS, **BASELINES}[name].structure
    if structure != "general":
        check_even(name, dim)
    return structure


def build(
    name: str,
    dim: int,
    hidden: Sequence[int] = (100,),
    activation: str | Activation = "sine",
    seed: int = 0,
    angles: Angles = NO_ANGLES,
) -> Model:
    """A model with initial weights drawn from the seed; the baselines have none, and no network to shape.

    angles: the periods of coordinates of which the networks see cosine and sine, by their index.

    Raises UnknownNameError for an unknown model or activation, InputError for an odd number of coordinates where momenta
    are needed, and for angles of a model that cannot have them.

    >>> import torch
    >>> build("hnn", dim=4).vector_field(0.0, torch.zeros(5, 4)).shape
    torch.Size([5, 4])
    """
    check_name(name)
    if name in BASELINES:
        check_angles(name, angles)
        return BASELINES[name](dim)
    return NETWORKS[name](dim, hidden, activation, seeded(seed), angles)


def build_classifier(
    name: str, inputs: int, classes: int, hidden: Sequence[int] = (100,), activation: str | Activation = "sine", seed: int = 0
) -> Classifier:
    """A classifier with initial weights drawn from the seed.

    Raises UnknownNameError for an unknown classifier or activation, InputError for fewer than two classes.
    """
    if name not in CLASSIFIERS:
        raise UnknownNameError(f"no classifier {name!r}; there are {', '.join(CLASSIFIERS)}")
    return CLASSIFIERS[name](inputs, classes, hidden, activation, generator=seeded(seed))
