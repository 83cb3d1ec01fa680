"""The compiled forms of the methods, and the loop over the steps in compiled code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.integrators.euler import Euler
from physlearn.integrators.fixed_point import ROUNDING
from physlearn.integrators.gauss_legendre import GaussLegendre, GaussLegendre4, GaussLegendre6, ImplicitMidpoint
from physlearn.integrators.integrator import SAMPLES, Integrator, Sample
from physlearn.integrators.leapfrog import Leapfrog, Yoshida4, Yoshida6
from physlearn.integrators.rk4 import RungeKutta4
from physlearn.integrators.symplectic_euler import SymplecticEuler
from systems.compiled import stepping
from systems.compiled.field import ParametrizedField

EPSILON = float(np.finfo(float).eps)


def _leapfrog(integrator: Leapfrog) -> stepping.Method:
    return stepping.Explicit("COMPOSED", integrator.weights, separable=True)


def _symplectic_euler(integrator: SymplecticEuler) -> stepping.Method | None:
    """Return the explicit form for a separable Hamiltonian; the implicit one is not compiled."""
    separable = integrator.flow.velocity is not None
    return stepping.Explicit("SYMPLECTIC_EULER", separable=True) if separable else None


def _gauss_legendre(integrator: GaussLegendre) -> stepping.Method:
    tolerance = ROUNDING * EPSILON if integrator.tolerance is None else integrator.tolerance
    return stepping.Implicit(integrator.a, integrator.b, integrator.c, tolerance)


# The keys are these very classes: a subclass may take other steps.
FORMS: dict[type[Integrator], Callable[..., stepping.Method | None]] = {
    Euler: lambda integrator: stepping.Explicit("EULER"),
    RungeKutta4: lambda integrator: stepping.Explicit("RK4"),
    SymplecticEuler: _symplectic_euler,
    Leapfrog: _leapfrog,
    Yoshida4: _leapfrog,
    Yoshida6: _leapfrog,
    ImplicitMidpoint: _gauss_legendre,
    GaussLegendre4: _gauss_legendre,
    GaussLegendre6: _gauss_legendre,
}


def has_form(integrator: Integrator) -> bool:
    """Return whether there is a compiled form of a method for its flow."""
    return type(integrator) in FORMS and FORMS[type(integrator)](integrator) is not None


def stepped(
    integrator: Integrator, field: ParametrizedField, t: float, z: Float[Tensor, "*batch D"], lengths: Sequence[float]
) -> Float[Tensor, "*batch D"] | None:
    """Return the states after some steps of given lengths from the time t, or None if a step does not converge."""
    since = np.concatenate([[0.0], np.cumsum(lengths)])
    grid = stepping.Grid(since, np.ones(len(lengths), dtype=np.int64), t, integrator.flow.period, 1)
    try:
        found, _ = stepping.integrate(_form(integrator), field, z.reshape(-1, z.shape[-1]).numpy(), grid)
    except stepping.StepError:
        return None
    return torch.from_numpy(found[:, -1].copy()).reshape(z.shape)


def _form(integrator: Integrator) -> stepping.Method:
    form = FORMS[type(integrator)](integrator)
    assert form is not None  # has_form was asked
    return form


def solve(
    integrator: Integrator,
    field: ParametrizedField,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    counts: Sequence[int],
    progress: bool,
) -> Float[Tensor, "*batch T D"] | None:
    """Do what `Integrator.solve` does, in compiled code.

    Parameters
    ----------
    integrator
        The method and the flow.
    field
        The compiled field of the flow.
    z0, t, counts, progress
        As for `Integrator.solve`; the states are in float64.

    Returns
    -------
    Tensor, shape ``(..., T, D)``, or None
        The states; None if an implicit step did not converge, so that torch must tell which and why.
    """
    period, times = integrator.flow.period, t.double().numpy()
    first = float(times[0])
    clock = first if period is None else first % period
    grid = stepping.Grid(times - first, np.array(counts, dtype=np.int64), clock, period, SAMPLES)
    flat = z0.detach().reshape(-1, z0.shape[-1]).numpy()
    with tqdm(total=len(counts), disable=not progress, desc=integrator.name, delay=1, leave=False) as bar:
        try:
            z, samples = stepping.integrate(_form(integrator), field, flat, grid, bar.update)
        except stepping.StepError:
            return None
    kept = torch.from_numpy(samples).reshape(*z0.shape[:-1], -1, z0.shape[-1]).unbind(-2)
    integrator.samples = [Sample(now, dt, state) for (now, dt), state in zip(grid.sampled(), kept, strict=True)]
    return torch.from_numpy(z).reshape(*z0.shape[:-1], len(t), z0.shape[-1])
