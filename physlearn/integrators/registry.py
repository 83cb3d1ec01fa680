"""The registry of methods by name."""

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
    """Register a method under its ``name``, so that it is available wherever a method's name is accepted.

    Use it as a class decorator. A class that is defined again, for example by running a notebook cell again, replaces its
    earlier version. Another distribution can register a method without being imported, by an entry point in the group
    ``physlearn.integrators``: ``my-method = "my_package.my_method:MyMethod"``.

    Parameters
    ----------
    method
        A subclass of `Integrator`.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    InputError
        If another method has this name.
    """
    INTEGRATORS.register(method.name)(method)
    return method


def names() -> list[str]:
    """Return the names of all methods.

    Returns
    -------
    list of str
        Names, simplest method first.
    """
    return INTEGRATORS.names()


def find(method: str) -> type[Integrator]:
    """Return the method with a given name.

    Parameters
    ----------
    method
        Name of the method.

    Returns
    -------
    type
        The method's class.

    Raises
    ------
    UnknownNameError
        If there is no such method; the message lists the known names. It is a KeyError.
    """
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
