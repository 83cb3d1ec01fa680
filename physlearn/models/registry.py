"""Registries of models and classifiers."""

from __future__ import annotations

from typing import TypeVar

from physlearn.models.best import Best
from physlearn.models.model import Learner, Model
from physlearn.models.own import OWN
from systems.generic_registry import Registry

MODELS: Registry[type[Model]] = Registry("model", "physlearn.models")
CONTINUING: Registry[type[Model]] = Registry("model", "physlearn.models_with_memory")
CLASSIFIERS: Registry[type[Learner]] = Registry("classifier", "physlearn.classifiers")
L = TypeVar("L", bound=type[Learner])


def register(cls: L) -> L:
    """Register a class by its ``name``, by which `~physlearn.forecasting.Forecaster` and other functions find it.

    Use this as a decorator of a subclass of `Model`, whose docstring lists the class attributes that the package uses, or of
    another subclass of `Learner`, which is registered as a classifier. Other distributions can instead list their class in
    the entry-point group ``physlearn.models``, as in ``my-model = "my_package.my_model:MyModel"``, which needs no import. A
    class that is defined again, for example by running a notebook cell twice, replaces itself.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    InputError
        If another class has the name.
    """
    if issubclass(cls, Model):
        (CONTINUING if cls.continues else MODELS).register(cls.name)(cls)
    else:
        CLASSIFIERS.register(cls.name)(cls)
    return cls


def names() -> list[str]:
    """Return the names of all models that are flows.

    Returns
    -------
    list of str
        Names of networks, baselines and models that other distributions registered.
    """
    return MODELS.names()


def names_with_memory() -> list[str]:
    """Return the names of the models that continue a measured past and are no flows, such as reservoirs.

    Returns
    -------
    list of str
        Names of models for `~physlearn.forecasting.Forecaster`.
    """
    return CONTINUING.names()


def find(name: str) -> type[Model]:
    """Return the class of a model.

    Parameters
    ----------
    name
        Name of the model.

    Returns
    -------
    type
        The subclass of `Model`.

    Raises
    ------
    UnknownNameError
        If there is no such model (a KeyError); the message lists the names.
    """
    if name in CONTINUING.names():
        return CONTINUING.get(name)
    MODELS.hint = f"; or, to continue a measured past, {', '.join(CONTINUING.names())}"
    return {**OWN, Best.name: Best}.get(str(name)) or MODELS.get(name)
