"""Contenders: combinations of models and integrators that forecast the same orbits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from physlearn import integrators, models
from physlearn.flow import Flow
from physlearn.models.best import Best
from systems import InputError


class Contender(NamedTuple):
    """The name of a model and of the integrator that rolls it out, which is empty for the default of the model."""

    model: str
    method: str

    @property
    def label(self) -> str:
        """The name in tables and figures."""
        return f"{self.model} + {self.method}" if self.method else self.model


LINEUP = (
    Contender("linear", "gauss-legendre-4"),
    Contender("cubic", "gauss-legendre-4"),
    Contender("polynomial", "gauss-legendre-6"),
    Contender("polynomial-hamiltonian", "gauss-legendre-6"),
    Contender("nn", "euler"),
    Contender("nn", "rk4"),
    Contender("hnn", "euler"),
    Contender("hnn", "gauss-legendre-4"),
    Contender("hnn-separable", "yoshida-4"),
    Contender("hnn-mechanical", "yoshida-4"),
)
RESERVOIRS = (Contender("next-generation-reservoir", ""), Contender("echo-state", ""))  # of systems without a Hamiltonian
DISSIPATIVE = (
    Contender("dissipative-hnn", "gauss-legendre-4"),
    Contender("dissipative-hnn-mechanical", "gauss-legendre-4"),
)


def choose(
    model: str | None, method: str | None, hamiltonian: bool, *, recorded: bool = False, dim: int = 2
) -> tuple[Contender, ...]:
    """Return the default contenders, those of one model, or one model with one integrator.

    Parameters
    ----------
    model, method
        Names of a model and of an integrator. A model without default contenders is rolled out by its default method.
    hamiltonian
        Whether the coordinates are positions and momenta. Otherwise, models that need momenta do not apply.
    recorded
        Whether the orbits were measured, so that no Hamiltonian fits them exactly; dissipative models are then included.
    dim
        Number of coordinates. Default contenders with too many coefficients for them are left out.

    Raises
    ------
    UnknownNameError
        If a name is unknown.
    InputError
        If the model does not apply, or there is an integrator without a model.
    NotSeparableError, NotHamiltonianError
        If the integrator does not apply to the model.
    """
    if method is not None:
        integrators.find(method)
    if model is None:
        if method is not None:
            raise InputError(f"--method {method} needs a model: give --model, one of {', '.join(models.names())}")
        usual = (*LINEUP, *(DISSIPATIVE if recorded else ()), *(() if hamiltonian else RESERVOIRS))
        classes = {c: models.find(c.model) for c in usual}
        return tuple(c for c in usual if (hamiltonian or not classes[c].needs_momenta()) and classes[c].applies(dim))
    found = models.find(model)
    if model == Best.name:
        if method is not None:
            integrators.find(method)
        return (Contender(model, method or ""),)
    if found.needs_momenta() and not hamiltonian:
        raise InputError(f"the model {model} needs positions and momenta, which this system does not have: use the model nn")
    if method is not None and found.continues:
        raise InputError(f"the model {model} takes the steps of its training data: leave out --method {method}")
    if method is not None:
        # build a small model of the kind to check before any training whether the integrator applies
        integrators.find(method)(Flow.of(models.build(model, dim=2, hidden=(1,))))
        return (Contender(model, method),)
    return tuple(c for c in LINEUP if c.model == model) or (Contender(model, found.default_method),)


def need_a_past(contenders: Sequence[Contender]) -> bool:
    """Return whether any of the models continues a measured past."""
    return any(models.find(contender.model).continues for contender in contenders)
