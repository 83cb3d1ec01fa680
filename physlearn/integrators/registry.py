"""The methods by name."""

from __future__ import annotations

from physlearn.integrators.dopri8 import Dopri8
from physlearn.integrators.euler import Euler
from physlearn.integrators.gauss_legendre import GaussLegendre4, GaussLegendre6, ImplicitMidpoint
from physlearn.integrators.integrator import Integrator
from physlearn.integrators.leapfrog import Leapfrog, Yoshida4, Yoshida6
from physlearn.integrators.rk4 import RungeKutta4
from physlearn.integrators.symplectic_euler import SymplecticEuler
from physlearn.integrators.tao import Tao4
from systems import InputError, UnknownNameError
from systems.registry import same

_registered: dict[str, type[Integrator]] = {
    method.name: method
    for method in (
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
    )
}


def names() -> list[str]:
    """The names of the methods, simplest first."""
    return list(_registered)


def find(method: str) -> type[Integrator]:
    """The method of that name. Raises UnknownNameError (a KeyError), listing the names there are."""
    if method not in _registered:
        raise UnknownNameError(f"no integrator {method!r}; there are {', '.join(names())}")
    return _registered[method]


def register(method: type[Integrator]) -> type[Integrator]:
    """Make a method known by its name, as a decorator of its class.

    The same class of the same module replaces itself. Raises InputError for a name that is taken.
    """
    owner = _registered.get(method.name, method)
    if not same(owner, method):
        raise InputError(f"the integrator name {method.name!r} is taken")
    _registered[method.name] = method
    return method
