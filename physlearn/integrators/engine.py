"""Choose whether torch or compiled code integrates a flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.integrator import Integrator
from systems.reference.engine import Engine, check_engine
from systems.system import System

if TYPE_CHECKING:
    from systems.compiled.field import ParametrizedField


@dataclass(frozen=True)
class Compiled:
    """The compiled field of a flow."""

    field: ParametrizedField

    def solve(
        self,
        integrator: Integrator,
        z0: Float[Tensor, "*batch D"],
        t: Float[Tensor, " T"],
        counts: Sequence[int],
        progress: bool,
    ) -> Float[Tensor, "*batch T D"] | None:
        """Return the states at the times t, or None if a step did not converge; see `physlearn.integrators.compiled.solve`."""
        from physlearn.integrators.compiled import solve

        return solve(integrator, self.field, z0, t, counts, progress)

    def flow(self, flow: Flow) -> Flow:
        """Return the flow with its compiled field and Jacobian, which are faster but cannot be differentiated."""
        return replace(flow, field=self._field, derivative=self._jacobian)

    def _field(self, t: Tensor, z: Tensor) -> Tensor:
        return torch.from_numpy(self.field(float(t), z.reshape(-1, z.shape[-1]).numpy())).reshape(z.shape)

    def _jacobian(self, t: Tensor, z: Tensor) -> Tensor:
        found = torch.from_numpy(self.field.jacobian(float(t), z.reshape(-1, z.shape[-1]).numpy()))
        return found.reshape(*z.shape, z.shape[-1]).nan_to_num(0.0, 0.0, 0.0)

    def path(
        self, integrator: Integrator, z: Float[Tensor, "n D"], t: float, dt: float, counts: Sequence[int]
    ) -> Float[Tensor, "c n D"]:
        """Return the states z at the time t, and those after each number of steps in ``counts``, by an explicit method."""
        from physlearn.integrators.compiled import path

        return path(integrator, self.field, z, t, dt, counts)

    def carried(
        self,
        integrator: Integrator,
        z: Float[Tensor, "n D"],
        w: Float[Tensor, "n k D"],
        scale: Float[Tensor, "n D"],
        dt: float,
        counts: Sequence[int],
        owners: Sequence[int],
        *,
        orthogonal: bool,
    ) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n k D"], Float[Tensor, "n S k"]]:
        """Move states and deviation vectors through stretches of steps; see `systems.compiled.tangent.carry`."""
        from physlearn.integrators.compiled import carried

        return carried(integrator, self.field, z, w, scale, dt, counts, owners, orthogonal)

    def tangent(self, k: int) -> Compiled:
        """Return the compiled field of a state and k deviation vectors; see `systems.compiled.field.Field.tangent`."""
        return Compiled(self.field.tangent(k))

    def stepped(self, integrator: Integrator, t: float, z: Tensor, lengths: Sequence[float]) -> Tensor:
        """Return the states after some steps; NaN for orbits with a step that does not converge."""
        from physlearn.integrators.compiled import stepped

        return stepped(integrator, self.field, t, z, lengths)


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
        If the engine is unknown, or if ``"compiled"`` is asked for and does not apply.
    """
    check_engine(engine)
    if engine == "torch":
        return None
    if (unfit := _unfit(flow, t, z0, rates)) is not None:
        check_engine(engine, unfit)
        return None
    from physlearn.integrators.compiled import has_form  # imports numba, which is slow
    from systems.compiled import engine as engines
    from systems.compiled.field import ParametrizedField, field_of_function, field_of_system

    def trace() -> ParametrizedField:
        if isinstance(flow.source, System):
            return field_of_system(flow.source)
        if (learned := getattr(flow.source, "compiled_field", None)) is not None:
            return ParametrizedField(learned())
        return field_of_function(flow.field, z0.shape[-1])

    velocity, force = flow.velocity, flow.force
    function = flow.field
    if velocity is not None and force is not None:  # what a method for separable Hamiltonians calls

        def function(t: Tensor, z: Tensor) -> Tensor:
            q, p = z.chunk(2, dim=-1)
            return torch.cat([velocity(p), force(q)], dim=-1)

    first = float(t[0])
    clock = first if flow.period is None else first % flow.period
    missing = None if has_form(integrator) else f"{integrator.name} has no compiled form for {flow.name}"
    field = engines.choose(engine, trace, function, clock, z0.detach().reshape(-1, z0.shape[-1]), missing)
    return None if field is None else Compiled(field)


def _unfit(flow: Flow, t: Tensor, z0: Tensor, rates: Tensor) -> str | None:
    """Return why compiled code cannot integrate these states, before anything is traced."""
    if z0.numel() == 0 or len(t) == 1:
        return "there is nothing to integrate"
    if z0.device.type != "cpu":
        return f"the states are on {z0.device}, and compiled code runs on the CPU"
    if z0.dtype != torch.float64:
        return f"the states are in {str(z0.dtype).removeprefix('torch.')}, and compiled code computes in float64"
    if torch.is_grad_enabled() and (z0.requires_grad or rates.requires_grad):
        return "gradients are recorded"
    return None
