"""The equations of a family of periodic orbits, whose parameter is one of the unknowns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from math import sqrt
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.periodic_orbits.closed_loop import MOST_SEGMENTS, SLOPE, ClosedLoop
from physlearn.chaos.periodic_orbits.near_return import HARDLY, spread
from physlearn.chaos.periodic_orbits.orbit import Fixed, PeriodicOrbit, periodic_orbit, solved
from physlearn.chaos.periodic_orbits.shooting import Shooter
from physlearn.flow import Flow, FlowLike
from systems import InputError
from systems.compiled.field import Field, ParametrizedField
from systems.compiled.operators import UntraceableError
from systems.compiled.traced import field_of_function

OWN = ("energy", "period")  # parameters of a family that a conservative flow has by itself
NULL = 1e-6  # singular values, relative to the largest, of directions along the solutions
RATIO = 1.5  # change of a coordinate's spread after which the units are renewed


@dataclass(frozen=True)
class Branch:
    """The equations of a family.

    Parameters
    ----------
    loop
        The equations of an orbit.
    make
        Returns the flow for a value of the parameter; None if the parameter is the energy or the period.
    parameter
        Name of the parameter.
    scale
        Length of the interval of the parameter.
    sign
        1 if the parameter is to increase, and -1 otherwise.
    conservative
        Whether the flow conserves an energy.
    """

    loop: ClosedLoop
    make: Callable[[float], FlowLike] | None
    parameter: str
    scale: float
    sign: float
    conservative: bool

    @classmethod
    def start(
        cls,
        flow: FlowLike | Callable[[float], FlowLike],
        z0: Float[Tensor, " D"],
        parameter: str,
        interval: tuple[float, float],
        period: float | None,
        fix: Fixed | None,
        transient: float,
        tolerance: float,
    ) -> tuple[Branch, Float[Tensor, " n"]]:
        """Find the first orbit, and return the equations of the family and the unknowns."""
        first, last = interval
        make = _maker(flow, parameter)
        if make is flow:
            make = FlowOfParameter.of(make, len(z0), first)
        if make is None:
            orbit = _own_start(cast(FlowLike, flow), z0, parameter, first, period, fix, transient, tolerance)
            loop = replace(orbit.loop, energy=None, period=None)
        else:
            orbit = periodic_orbit(make(first), z0, period=period, fix=fix, transient=transient, tolerance=tolerance)
            loop = orbit.loop
        branch = cls(loop, make, parameter, abs(last - first), 1.0 if last > first else -1.0, orbit.conservative)
        states, period = orbit.loop.unpacked(orbit.unknowns)
        x = loop.packed(states, period)
        return branch, x if make is None else torch.cat([x, x.new_tensor([first / branch.unit])])

    @property
    def unit(self) -> float:
        """Unit of the parameter among the unknowns, of which each segment has its own."""
        return self.scale / sqrt(self.loop.segments)

    def own(self, x: Float[Tensor, " n"]) -> Float[Tensor, " m"]:
        """Return the unknowns of the orbit, without the parameter."""
        return x if self.make is None else x[:-1]

    def value(self, x: Float[Tensor, " n"]) -> float:
        """Return the parameter."""
        if self.make is not None:
            return float(x[-1]) * self.unit
        states, period = self.loop.unpacked(x)
        return period if self.parameter == "period" else self.loop.levels(states[0])[0]

    def gradient(self, x: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Return the derivative of the parameter by the unknowns, up to its unit."""
        found = torch.zeros_like(x)
        if self.make is not None or self.parameter == "period":
            found[-1] = 1.0
            return found
        level = self.loop.levels(self.loop.unpacked(x)[0][0])[1]
        found[: len(level)] = level
        return found

    def loop_of(self, x: Float[Tensor, " n"]) -> ClosedLoop:
        """Return the equations of the orbit for the parameter among the unknowns."""
        return self.loop if self.make is None else self._with(self.value(x))

    def _with(self, value: float) -> ClosedLoop:
        assert self.make is not None
        shooter = Shooter.of(self.make(value), self.loop.shooter.rollout.z[0])
        period = self.loop.period
        if shooter.driven and shooter.flow.period is not None and period is not None:  # as many periods of the drive as before
            before = self.loop.shooter.flow.period
            period = shooter.flow.period * (1 if before is None else round(period / before))
        return replace(self.loop, shooter=shooter, period=period)

    def __call__(self, x: Float[Tensor, " n"]) -> tuple[Float[Tensor, " m"], Float[Tensor, "m n"]]:
        """Return the mismatches and their derivative."""
        value, slope = self.loop_of(x)(self.own(x))
        if self.make is None:
            return value, slope
        return value, torch.cat([slope, self._by_parameter(x)[:, None]], dim=1)

    def _by_parameter(self, x: Float[Tensor, " n"]) -> Float[Tensor, " m"]:
        """Return the derivative of the mismatches by the parameter, in its unit, by central differences."""
        both = []
        for side in (-1, 1):
            loop = self._with(self.value(x) + side * SLOPE * self.scale)
            states, period = loop.unpacked(self.own(x))
            since = torch.tensor([0.0, period / loop.segments], dtype=torch.float64)
            ends = loop.shooter.along(states, loop.starts(period), since)[:, -1]
            gaps = loop.gaps(states, ends).flatten()
            if loop.energy is not None:
                level, gradient = loop.levels(states[0])
                gaps = torch.cat([gaps, gaps.new_tensor([level / float(gradient.norm())])])
            both.append(gaps)
        return (both[1] - both[0]) / (2 * SLOPE * self.scale) * self.unit

    def direction(self, x: Float[Tensor, " n"], slope: Float[Tensor, "m n"], before: Tensor | None) -> Float[Tensor, " n"]:
        """Return the unit vector along the family, in the direction of a vector, or of the parameter at first."""
        _, sizes, right = torch.linalg.svd(slope, full_matrices=True)
        small = torch.cat([sizes, sizes.new_zeros(right.shape[0] - len(sizes))]) <= NULL * sizes[0]
        null = right[small] if bool(small.any()) else right[-1:]
        if not self.loop.shooter.driven:  # a shift along the orbit is no direction of the family
            states, period = self.loop.unpacked(self.own(x))
            rates = (self.loop_of(x).shooter.rates(self.loop.starts(period), states) / self.loop.size).flatten()
            shift = torch.nn.functional.pad(rates / rates.norm(), (0, len(x) - len(rates)))
            null = null - (null @ shift)[:, None] * shift
        wanted = self.sign * self.gradient(x) if before is None else before
        along = null.mT @ (null @ wanted)
        if not float(along.norm()) > 1e-9 * float(wanted.norm()):
            raise InputError(f"the periodic orbit does not change with {self.parameter}; choose another parameter")
        return along / along.norm()

    def rescaled(self, x: Float[Tensor, " n"], along: Float[Tensor, " n"]) -> tuple[Branch, Tensor, Tensor]:
        """Return the equations with units and segments that suit the orbit, its unknowns, and a direction in these units."""
        loop = self.loop_of(x)
        states, period = loop.unpacked(self.own(x))
        turning = torch.linspace(0, 1, len(states) + 1, dtype=x.dtype)[:-1, None] * loop.turns
        size = spread(loop.shooter, states, period, states - turning)
        size = torch.where(size > HARDLY * loop.size, size, loop.size)  # a coordinate that no longer moves keeps its unit
        change = (size / loop.size).log().abs().max()
        if float(change) < torch.tensor(RATIO).log() and 1 / RATIO < period / loop.unit < RATIO:
            size, unit = loop.size, loop.unit
        else:
            unit = period
        renewed = replace(loop, size=size, unit=unit)
        finer = renewed.segments < MOST_SEGMENTS and renewed.too_long(states, period)
        if size is loop.size and not finer:
            return self, x, along
        moved = along[: states.numel()].reshape(states.shape) * loop.size
        if finer:
            since = torch.tensor([0.0, period / renewed.segments / 2], dtype=torch.float64)
            middle = loop.shooter.along(states, loop.starts(period), since)[:, -1]
            states = torch.stack([states, middle], dim=1).flatten(0, 1)
            moved = moved.repeat_interleave(2, dim=0)
            renewed = replace(renewed, segments=2 * renewed.segments)
        branch = replace(self, loop=renewed)
        own, direction = renewed.packed(states, period), (moved / size).flatten()
        if renewed.free:
            place = self.loop.segments * len(size)
            direction = torch.cat([direction, along[place : place + 1] * (loop.unit / unit)])
        if self.make is not None:
            own = torch.cat([own, own.new_tensor([self.value(x) / branch.unit])])
            direction = torch.cat([direction, along[-1:] * (self.unit / branch.unit)])
        return branch, own, direction / direction.norm()


@dataclass(frozen=True)
class FlowOfParameter:
    """A function that returns a flow for a value of a parameter, traced once for all values if that is possible.

    Parameters
    ----------
    make
        The function.
    field
        The traced field, which takes the parameter as a number; None if it cannot be traced.
    """

    make: Callable[[float], FlowLike]
    field: Field | None

    @classmethod
    def of(cls, make: Callable[..., FlowLike], dim: int, example: float) -> FlowOfParameter:
        """Trace the function."""

        def function(t: Tensor, z: Tensor, value: Tensor) -> Tensor:
            return Flow.of(make(value)).field(t, z)

        try:
            return cls(make, field_of_function(function, dim, (example,)).field)
        except (UntraceableError, TypeError, ValueError, RuntimeError):  # it takes the parameter for a number
            return cls(make, None)

    def __call__(self, value: float) -> FlowLike:
        """Return the flow for a value of the parameter."""
        flow = Flow.of(self.make(value))
        return flow if self.field is None else replace(flow, source=_Traced(self.field, value))


@dataclass(frozen=True)
class _Traced:
    """A traced field with the value of its parameter."""

    field: Field
    value: float

    def compiled_field(self) -> ParametrizedField:
        """Return the field, which is compared with the flow before it is used."""
        return ParametrizedField(self.field, (self.value,))


def _maker(flow: FlowLike | Callable[[float], FlowLike], parameter: str) -> Callable[[float], FlowLike] | None:
    """Return what makes the flow for a value of the parameter, or None for a parameter of the family itself."""
    if parameter in OWN:
        return None
    if hasattr(flow, "vector_field"):
        names = [f.name for f in fields(flow)] if is_dataclass(flow) else []
        if parameter not in names:
            known = ", ".join([*names, *OWN])
            raise InputError(
                f"{getattr(flow, 'name', type(flow).__name__)} has no parameter {parameter!r}; choose one of {known}"
            )
        return lambda value: replace(flow, **{parameter: value})  # type: ignore[type-var] # it is a dataclass
    if callable(flow):
        return cast(Callable[[float], FlowLike], flow)
    raise InputError(f"flow must be a system or a function that returns a flow for a value of {parameter}, not {flow!r:.40}")


def _own_start(
    flow: FlowLike,
    z0: Tensor,
    parameter: str,
    first: float,
    period: float | None,
    fix: Fixed | None,
    transient: float,
    tolerance: float,
) -> PeriodicOrbit:
    """Return the first orbit of a family of a conservative flow, at the first energy or period."""
    if fix is not None:
        raise InputError(f"fix applies to other parameters, because the family changes its {parameter}; leave it out")
    if parameter == "period":
        return periodic_orbit(flow, z0, period=first, fix="period", transient=transient, tolerance=tolerance)
    near = periodic_orbit(flow, z0, period=period, fix="energy", transient=transient, tolerance=tolerance)
    loop = replace(near.loop, energy=first)
    return solved(loop, near.unknowns, near.conservative, tolerance)
