"""Models and classifiers by name."""

from __future__ import annotations

from typing import TypeVar

from physlearn.models.model import Learner, Model
from systems.generic_registry import Registry

MODELS: Registry[type[Model]] = Registry("model", "physlearn.models")
CLASSIFIERS: Registry[type[Learner]] = Registry("classifier", "physlearn.classifiers")
L = TypeVar("L", bound=type[Learner])


def register(cls: L) -> L:
    """Class decorator: makes a `Model` available by its ``name``, to `Forecaster` and to everything that takes a model's name.

    What the rest of the package asks of a model are attributes of its class, see `Model`. Another distribution needs no
    import when its metadata name the class in the entry-point group ``physlearn.models``:
    ``my-model = "my_package.my_model:MyModel"``. A class that is defined again, as when a notebook's cell is run again,
    replaces itself. A `Learner` that is no `Model` is registered among the classifiers.

    Raises InputError for a name that is taken.
    """
    if issubclass(cls, Model):
        MODELS.register(cls.name)(cls)
    else:
        CLASSIFIERS.register(cls.name)(cls)
    return cls


def names() -> list[str]:
    """Return the names of all models: networks, baselines, and those that others registered."""
    return MODELS.names()


def find(name: str) -> type[Model]:
    """Return the class of the model of that name. Raises UnknownNameError (a KeyError), which lists the names."""
    return MODELS.get(name)
