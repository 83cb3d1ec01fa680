"""Construction of models and classifiers by name, with initial weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from physlearn.activations.get import Given
from physlearn.models.best import Best
from physlearn.models.classifier import Classifier
from physlearn.models.hamiltonian import check_even
from physlearn.models.inputs import NO_ANGLES, Angles
from physlearn.models.model import Model
from physlearn.models.options import checked
from physlearn.models.own import OWN
from physlearn.models.registry import CLASSIFIERS, find, names
from physlearn.models.units import Structure
from systems import InputError
from systems.scalars import seeded


def check_angles(name: str | None, angles: bool | tuple[str, ...] | Angles) -> None:
    """Raise InputError if there are angles but the model does not support them."""
    if angles and name is not None and not find(name).takes_angles:
        raise InputError(f"the model {name} has no network to take cosines and sines of angles: leave angles out")


def check_given(name: str, given: int) -> None:
    """Raise InputError if there are given values but the model does not take any."""
    if given and not find(name).takes_given:
        able = ", ".join(other for other in names() if find(other).takes_given)
        raise InputError(f"the model {name} takes no inputs or parameters: use one of {able}, or leave them out")


def structure_of(name: str, dim: int) -> Structure:
    """Return the structure of a model that a change of units must preserve.

    Raises UnknownNameError for an unknown model, and InputError if the model needs momenta or velocities but
    ``dim`` is odd.
    """
    model = find(name)
    if model.needs_momenta():
        check_even(name, dim, "velocities" if model.structure == "lagrangian" else "momenta")
    return model.structure


def build(
    name: str,
    dim: int,
    hidden: Sequence[int] = (100,),
    activation: Given = "tanh",
    seed: int = 0,
    angles: Angles = NO_ANGLES,
    given: int = 0,
    **options: Any,
) -> Model:
    """Create a model with random initial weights.

    Baselines have no networks, so they ignore ``hidden``, ``activation`` and ``seed``.

    Parameters
    ----------
    name
        Name of the model, one of ``physlearn.models.names()``.
    dim
        Number D of coordinates.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, an Activation, a list of them by layer, or a dictionary by role, as `physlearn.activations.get`
        takes them.
    seed
        Random seed of the initial weights.
    angles
        Periods of the coordinates whose cosine and sine are the inputs of the networks, by the index of the coordinate.
    given
        Number of given values, such as parameters of a system, which follow the coordinates in each state.
    **options
        Options of the model, with the defaults that its class declares.

    Returns
    -------
    Model
        The new model.

    Raises
    ------
    UnknownNameError
        If the model or activation is unknown.
    InputError
        If the model needs momenta but ``dim`` is odd, or does not support the angles, given values or options.

    Examples
    --------
    >>> import torch
    >>> build("hnn", dim=4).vector_field(0.0, torch.zeros(5, 4)).shape
    torch.Size([5, 4])
    """
    found = find(name)
    if name in (*OWN, Best.name):
        raise InputError(f"the model {name} cannot be built by its name: use a Forecaster, or one of {', '.join(names())}")
    check_angles(name, angles)
    check_given(name, given)
    structure_of(name, dim)
    construct, chosen = cast(Callable[..., Model], found), checked(name, options)
    others = [angles] if found.takes_angles else []
    if found.baseline:
        return construct(dim, *others, **chosen)
    return construct(dim, hidden, activation, seeded(seed), *others, **({"given": given} if given else {}), **chosen)


def build_classifier(
    name: str, inputs: int, classes: int, hidden: Sequence[int] = (100,), activation: Given = "sine", seed: int = 0
) -> Classifier:
    """Create a classifier with random initial weights.

    Raises UnknownNameError for an unknown classifier or activation, and InputError for fewer than two classes.
    """
    construct = cast(Callable[..., Classifier], CLASSIFIERS.get(name))
    return construct(inputs, classes, hidden, activation, generator=seeded(seed))
