"""The methods by name."""

from __future__ import annotations

from typing import TypeVar

from physlearn.integrators.dopri8 import Dopri8
from physlearn.integrators.euler import Euler
from physlearn.integrators.gauss_legendre import GaussLegendre4, GaussLegendre6, ImplicitMidpoint
from physlearn.integrators.integrator import Integrator
from physlearn.integrators.leapfrog import Leapfrog, Yoshida4, Yoshida6
from physlearn.integrators.rk4 import RungeKutta4
from physlearn.integrators.symplectic_euler import SymplecticEuler
from physlearn.integrators.tao import Tao4
from systems.generic_registry import Registry

INTEGRATORS: Registry[type[Integrator]] = Registry("integrator", "physlearn.integrators")
M = TypeVar("M", bound=type[Integrator])


def register(method: M) -> M:
    """Class decorator: makes a method available by its ``name``, to `integrate` and to everything that takes a method's name.

    Another distribution needs no import for that when its metadata name the class in the entry-point group
    ``physlearn.integrators``: ``my-method = "my_package.my_method:MyMethod"``. A class that is defined again, as when a
    notebook's cell is run again, replaces itself. Raises InputError for a name that is taken.
    """
    INTEGRATORS.register(method.name)(method)
    return method


def names() -> list[str]:
    """The names of the methods, simplest first."""
    return INTEGRATORS.names()


def find(method: str) -> type[Integrator]:
    """The method of that name. Raises UnknownNameError (a KeyError), listing the names there are."""
    return INTEGRATORS.get(method)


for _method in (
    Euler,
    RungeKutta4,
    SymplecticEuler,
    Leapfrog,
    Yoshida4,
    Yoshida6,
    ImplicitMidpoint,
    GaussLegendre4,
    GaussLegendre6,
    Tao4,
    Dopri8,
):
    register(_method)
