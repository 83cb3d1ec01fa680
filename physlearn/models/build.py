"""New models by name, with initial weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from physlearn.activations import Activation
from physlearn.models.classifier import Classifier
from physlearn.models.hamiltonian import check_even
from physlearn.models.inputs import NO_ANGLES, Angles
from physlearn.models.model import Model
from physlearn.models.registry import CLASSIFIERS, find
from physlearn.models.units import Structure
from systems import InputError
from systems.scalars import seeded


def check_angles(name: str | None, angles: bool | tuple[str, ...] | Angles) -> None:
    """Raise InputError where a model is to take angles that cannot."""
    if angles and name is not None and not find(name).takes_angles:
        raise InputError(f"the model {name} has no network that could see cosines and sines of angles: leave angles out")


def structure_of(name: str, dim: int) -> Structure:
    """Return what a change of units must leave as it is, for a model of that name on that many coordinates.

    Raises UnknownNameError for an unknown model, InputError for an odd number of coordinates where momenta are needed.
    """
    model = find(name)
    if model.needs_momenta():
        check_even(name, dim)
    return model.structure


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
    found = find(name)
    check_angles(name, angles)
    structure_of(name, dim)
    construct = cast(Callable[..., Model], found)
    if found.baseline:
        return construct(dim)
    given: tuple[Any, ...] = (dim, hidden, activation, seeded(seed))
    return construct(*given, angles) if found.takes_angles else construct(*given)


def build_classifier(
    name: str, inputs: int, classes: int, hidden: Sequence[int] = (100,), activation: str | Activation = "sine", seed: int = 0
) -> Classifier:
    """A classifier with initial weights drawn from the seed.

    Raises UnknownNameError for an unknown classifier or activation, InputError for fewer than two classes.
    """
    construct = cast(Callable[..., Classifier], CLASSIFIERS.get(name))
    return construct(inputs, classes, hidden, activation, generator=seeded(seed))
