"""Check the arguments shared by all functions of this package, and prepare the fixed steps that they take."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from math import ceil, inf, isfinite
from numbers import Real
from typing import TypeVar, cast

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.time_scale import STEP, time_scale
from physlearn.flow import FlowLike
from physlearn.integrators import Flow, Integrator, find
from physlearn.integrators.compiled import Compiled
from physlearn.integrators.engine import compiled_flow
from physlearn.integrators.iteration import Iteration
from systems import InputError
from systems.floats import floats
from systems.maps import Map
from systems.scalars import real
from systems.size import MOST_COMPILED, check_steps
from systems.states import check_states
from systems.time_dependence import among, depends_on_time

Result = TypeVar("Result")

EXPLICIT = ("rk4", "leapfrog", "yoshida-4", "yoshida-6", "euler")


def check_length(time: float, dt: float, most: float = MOST_COMPILED) -> None:
    """Raise InputError if a time has more steps than this."""
    check_steps(time / dt if dt else inf, f"time {time:g} in steps of {dt:g}", most)


@dataclass(frozen=True)
class Rollout:
    """``steps`` steps of length dt from the states z, whose shape ``(n, D)`` is the flattened ``batch`` of initial states.

    States in float32 are followed in float64 if compiled code follows them; ``dtype`` is the one that was given.
    """

    flow: Flow
    z: Float[Tensor, "n D"]
    batch: torch.Size
    coordinates: tuple[str, ...]
    dt: float
    steps: int
    kind: type[Integrator]
    compiled: Compiled | None = None
    dtype: torch.dtype = torch.float64

    @classmethod
    def of(
        cls,
        flow: FlowLike | Map,
        z0: Tensor,
        time: float | None,
        dt: float | None = None,
        method: str | None = None,
        *,
        scales: float = 1000.0,
        step: float = STEP,
        maps: bool = False,
        most: float = MOST_COMPILED,
    ) -> Rollout:
        """Check the arguments and prepare the steps.

        Parameters
        ----------
        flow, z0
            The flow, or a map if ``maps`` is True, and its initial states ``(..., D)``.
        time
            Integration time; by default ``scales`` time scales of the flow (`physlearn.chaos.time_scale.time_scale`).
        dt
            Step, reduced so that a whole number of steps adds up to the time; by default ``step`` time scales.
        method
            An explicit integrator; defaults to yoshida-4 for a separable Hamiltonian, and to rk4 for all other flows.
        scales, step
            The defaults of time and dt, in time scales of the flow.
        maps
            Whether the caller can iterate maps.
        most
            Largest number of steps.

        Returns
        -------
        Rollout
            The flattened states and the steps.

        Raises
        ------
        InputError
            For invalid arguments.
        NotSeparableError
            If the method needs a separable Hamiltonian and the flow has none.
        """
        seen = Flow.of_map(flow) if maps and isinstance(flow, Map) else Flow.of(flow)
        for name, value in (("time", time), ("dt", dt)):
            if isinstance(value, Real) and not (value > 0 and isfinite(value)):
                raise InputError(f"{name} must be a positive number, not {value}")
        time, dt = (None if value is None else real(name, value) for name, value in (("time", time), ("dt", dt)))
        if seen.discrete:
            dt, method, time = _of_a_map(time, dt, method)
        z0 = z0 if isinstance(z0, Tensor) and not z0.is_floating_point() else floats(z0, "states")
        if not z0.is_floating_point() or z0.element_size() < 4:
            raise InputError(f"states must be floating point of 32 bits or more, not {z0.dtype}; convert them by z0.double()")
        coordinates = seen.coordinates or tuple(f"z{i}" for i in range(z0.shape[-1] if z0.ndim else 1))
        check_states(z0, coordinates)
        method = method or ("rk4" if seen.velocity is None else "yoshida-4")
        kind = Iteration if seen.discrete else find(method)
        if not seen.discrete and method not in EXPLICIT:
            raise InputError(f"{method} is not an explicit fixed-step method; use one of {', '.join(EXPLICIT)}")
        integrator: Integrator = kind(seen)
        z = z0.detach().clone().reshape(-1, z0.shape[-1])  # a clone, because inference tensors have no derivatives
        with torch.no_grad():
            rates = seen.field(z.new_zeros(()), z)
        shape = rates.shape
        if shape != z.shape:
            raise InputError(
                f"{seen.name} returns rates of shape {tuple(shape)} for states of shape {tuple(z.shape)}; both must be equal"
            )
        precise = z if callable(seen.source) else z.double()  # functions and modules may have constants in float32
        compiled = compiled_flow("auto", seen, integrator, precise.new_zeros(2), precise, rates.to(precise))
        if compiled is not None:
            seen, z = compiled.flow(seen), precise
        scale = time_scale(seen, z) if time is None or dt is None else 1.0
        time = scales * scale if time is None else time
        dt = step * scale if dt is None else dt
        check_length(time, dt, most)
        if seen.autonomous and not seen.discrete and depends_on_time(seen.field, z, among(0.0, time)):
            seen = replace(seen, autonomous=False)  # whatever is declared
        steps = max(1, ceil(time / dt - 1e-9))  # 1e-9: rounding must not add a step
        return cls(seen, z, z0.shape[:-1], coordinates, time / steps, steps, kind, compiled, z0.dtype)

    @property
    def method(self) -> str:
        """The name of the method."""
        return self.kind.name

    @property
    def time(self) -> float:
        """The total time of the rollout."""
        return self.steps * self.dt

    @property
    def turning(self) -> tuple[float, ...]:
        """The period of each coordinate; infinite for coordinates that are not angles."""
        return tuple(self.flow.periods.get(name, inf) for name in self.coordinates)

    def path(self, z: Float[Tensor, "n D"], first: float, steps: int, parts: int = 1) -> Float[Tensor, "c n D"]:
        """Return the states z and those after each of some steps.

        Parameters
        ----------
        z : shape ``(n, D)``
            States at the start of step number ``first``.
        first, steps
            The number of the first step, which may be a fraction, and how many follow.
        parts
            Number of shorter steps into which each step is divided.

        Returns
        -------
        Tensor, shape ``(steps + 1, n, D)``
            The states.
        """
        h = self.dt / parts
        if self.compiled is not None:
            return self.compiled.path(self.kind(self.flow), z, first * self.dt, h, [parts] * steps)
        step, states = self.kind(self.flow).step, [z]
        for number in range(steps):
            for part in range(parts):
                z = step(z.new_tensor((first + number) * self.dt + part * h), z, h)
            states.append(z)
        return torch.stack(states)

    def after(self, z: Float[Tensor, "n D"], first: float, steps: int) -> Float[Tensor, "n D"]:
        """Return the states after some steps from the step number ``first``, without those between."""
        return z if steps == 0 else replace(self, dt=self.dt * steps).path(z, first / steps, 1, parts=steps)[-1]

    def rounded(self, result: Result) -> Result:
        """Return a tensor, or a dataclass of tensors, with its numbers in the dtype of the initial states."""
        if self.dtype == self.z.dtype:
            return result
        if isinstance(result, Tensor):
            return cast(Result, result.to(self.dtype) if result.is_floating_point() else result)
        if not is_dataclass(result) or isinstance(result, type):
            return result
        return replace(result, **{f.name: self.rounded(getattr(result, f.name)) for f in fields(result) if f.init})

    def finer(self, halvings: int) -> Rollout:
        """Return the same rollout with its step halved a number of times."""
        return replace(self, dt=self.dt / 2**halvings, steps=self.steps * 2**halvings)

    def among(self, rows: Tensor) -> Rollout:
        """Return the same rollout for some of its states."""
        return replace(self, z=self.z[rows])


def _of_a_map(time: float | None, dt: float | None, method: str | None) -> tuple[float, str, float | None]:
    """Return the step, the method and the time of a map; raise InputError if they are those of a flow."""
    if dt not in (None, 1):
        raise InputError(f"a map has no step length, but dt is {dt}; leave dt out and give the number of iterations as time")
    if method is not None:
        raise InputError(f"a map is iterated, not integrated by {method}; leave method out")
    if time is not None and not (time > 0 and float(time).is_integer()):
        raise InputError(f"time must be the number of iterations of the map, a positive whole number, not {time}")
    return 1.0, Iteration.name, time
