"""Choose whether torch or compiled code integrates a flow."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.compiled import Compiled, has_form
from physlearn.integrators.integrator import Integrator
from systems.compiled.engine import choose
from systems.compiled.field import ParametrizedField
from systems.compiled.traced import field_of_function, field_of_system, step_of
from systems.maps import Map
from systems.reference.engine import Engine
from systems.system import System


def compiled_flow(
    engine: Engine, flow: Flow, integrator: Integrator, t: Float[Tensor, " T"], z0: Float[Tensor, "*batch D"], rates: Tensor
) -> Compiled | None:
    """Return the compiled field of a flow, or None if torch integrates it.

    Parameters
    ----------
    engine
        What the caller asks for.
    flow, integrator
        The flow, and the method.
    t, z0, rates
        The times, the initial states, and the rates there.

    Returns
    -------
    Compiled or None
        The compiled field, which agrees with the flow at the initial states and near them.

    Raises
    ------
    InputError
        If the engine is unknown, if ``"compiled"`` is asked for and does not apply, or if ``"taylor"`` is asked for, which is
        an engine of `System.orbit` only.
    """

    def trace() -> ParametrizedField:
        if isinstance(flow.source, System):
            return field_of_system(flow.source)
        if isinstance(flow.source, Map):
            return field_of_system(flow.source, step_of)
        if (learned := getattr(flow.source, "compiled_field", None)) is not None:
            found = learned()
            return found if isinstance(found, ParametrizedField) else ParametrizedField(found)
        return field_of_function(flow.field, z0.shape[-1])

    velocity, force = flow.velocity, flow.force
    function = flow.field
    if velocity is not None and force is not None:  # what a method for separable Hamiltonians calls

        def function(t: Tensor, z: Tensor) -> Tensor:
            q, p = z.chunk(2, dim=-1)
            return torch.cat([velocity(p), force(q)], dim=-1)

    unfit = _unfit(flow, integrator, t, z0, rates)
    if engine == "taylor":
        unfit = (
            f"Taylor series are a method of their own, not {integrator.name}: call orbit(z0, t, engine='taylor') of a system"
        )
    field = choose(engine, trace, function, t, flow.period, z0.detach().reshape(-1, z0.shape[-1]), unfit)
    return None if field is None else Compiled(field)


def _unfit(flow: Flow, integrator: Integrator, t: Tensor, z0: Tensor, rates: Tensor) -> str | None:
    """Return why compiled code cannot integrate these states, before anything is traced."""
    if z0.numel() == 0 or len(t) == 1:
        return "there is nothing to integrate"
    if z0.dtype != torch.float64:
        return f"the states are in {str(z0.dtype).removeprefix('torch.')}, and compiled code computes in float64"
    if torch.is_grad_enabled() and (z0.requires_grad or rates.requires_grad):
        return "gradients are recorded"
    return None if has_form(integrator) else f"{integrator.name} has no compiled form for {flow.name}"
