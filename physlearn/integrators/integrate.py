"""integrate: from initial states to orbits, by a method's name."""

from __future__ import annotations

import inspect
from numbers import Integral
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.integrator import Integrator
from physlearn.integrators.registry import find
from physlearn.threads import suited_to
from systems import InputError, Orbit
from systems.orbit import check_times
from systems.size import BYTES, check_memory
from systems.system import check_states

TYPICAL_WIDTH = 25  # elements that a learned flow works on for each coordinate of the state


def integrate(
    flow: Any,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    method: str,
    *,
    substeps: int = 1,
    progress: bool = False,
    **options: Any,
) -> Orbit:
    """The orbits of a flow from z0 at t[0], with one step (or ``substeps`` equal ones) from each time to the next.

    flow: a system, a trained model or Forecaster, or a function ``f(t, z)``. t may decrease, to go back in time. The orbits
    keep the dtype and device of z0, and are differentiable by z0 and by the flow's parameters. options: those of the
    method, as ``tolerance`` and ``failure`` of the implicit ones, ``omega`` of tao-4, ``rtol`` and ``atol`` of dopri8.

    Raises InputError for wrong arguments, NotSeparableError or NotHamiltonianError where the flow does not offer what the
    method needs, ConvergenceError where an implicit step has no solution.

    >>> import systems
    >>> oscillator = systems.get("harmonic-oscillator")
    >>> orbit = integrate(oscillator, torch.tensor([1.0, 0.0]), torch.linspace(0, 100, 1001), method="leapfrog")
    >>> bool((oscillator.hamiltonian(orbit.z) - 0.5).abs().max() < 2e-3)
    True
    """
    seen = Flow.of(flow)
    cls = find(method)
    if unknown := sorted(set(options) - _options(cls)):
        raise InputError(f"{method} has no option {unknown[0]!r}")
    if not isinstance(substeps, Integral) or substeps < 1:
        raise InputError(f"substeps must be at least 1, and a whole number, not {substeps}")
    z0, t = torch.as_tensor(z0), torch.as_tensor(t)
    if not z0.is_floating_point():
        raise InputError(f"states must be floating point, not {z0.dtype}")
    t = t.to(z0.device, t.dtype if t.is_floating_point() else z0.dtype)
    check_times(t)
    coordinates = seen.coordinates or tuple(f"z{i}" for i in range(z0.shape[-1] if z0.ndim else 1))
    check_states(z0, coordinates)
    check_memory(z0.numel() * len(t) * z0.element_size() / BYTES, "the orbits from these states at these times")
    integrator = cls(seen, **options)
    shape = seen.field(t[0].to(z0.dtype), z0).shape
    if shape != z0.shape:
        raise InputError(f"{seen.name} turns states of shape {tuple(z0.shape)} into rates of shape {tuple(shape)}")
    with suited_to(z0.numel() * TYPICAL_WIDTH):
        z = integrator.solve(z0, t, int(substeps), progress)
    return Orbit(
        t=t,
        z=z,
        coordinates=coordinates,
        provenance={"flow": seen.name, "integrator": {"name": method, "substeps": substeps, **options, **integrator.report}},
        periods=seen.periods,
    )


def _options(cls: type[Integrator]) -> set[str]:
    """The names of a method's options: what the constructors of its classes take beside the flow."""
    return {
        parameter.name
        for base in cls.__mro__
        if issubclass(base, Integrator)
        for parameter in inspect.signature(base.__init__).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    } - {"self", "flow"}
