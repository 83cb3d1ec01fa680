"""Poincare sections: the points where orbits cross a surface."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.chaos.leaving import Bounds
from physlearn.chaos.resolution import Resolution, resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.crossing import Surface
from physlearn.chaos.sections.events import events
from physlearn.chaos.sections.iterates import iterates
from physlearn.chaos.sections.strobe import PHASE, phase_of, strobed, whole_periods
from physlearn.flow import FlowLike
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.deprecation import keyword_only
from systems.floats import takes_arrays
from systems.maps import Map
from systems.periodic import shortest

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Section(Brief):
    """The N crossings of a surface, sorted by orbit and then by time.

    Parameters
    ----------
    orbit : shape ``(N,)``
        Index of the orbit of each crossing in the flattened batch of initial states.
    t : shape ``(N,)``
        Times of the crossings.
    z : shape ``(N, D)``
        States at the crossings. Angles are within half a period of zero; the angle that defines the surface is at the value of
        the surface.
    escaped : shape ``(...)``
        Whether each orbit escaped. An orbit has no crossings after it escaped.
    unresolved : shape ``(...)``
        Whether each orbit is not resolved even with the smallest steps. Such orbits have no crossings.
    coordinates
        Names of the D coordinates.
    surface
        Name of the coordinate that defines the surface, and its value there; None for the iterates of a map.
    plane
        Names of the coordinates that identify a point on the surface: all except that of the surface. For a Hamiltonian with
        more than one degree of freedom the momentum conjugate to that coordinate is left out too, as the energy determines it.
    """

    orbit: Int[Tensor, " N"]
    t: Float[Tensor, " N"]
    z: Float[Tensor, "N D"]
    escaped: Bool[Tensor, "*batch"]
    unresolved: Bool[Tensor, "*batch"]
    coordinates: tuple[str, ...]
    surface: tuple[str, float] | None
    plane: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.orbit)

    def of(self, orbit: int) -> Float[Tensor, "M D"]:
        """Return the crossings of one orbit in the order of time.

        Parameters
        ----------
        orbit
            Index of the orbit in the flattened batch.

        Returns
        -------
        Tensor, shape ``(M, D)``
            The states on the surface.
        """
        return self.z[self.orbit == orbit]

    def plot(self, plane: tuple[str, str] | None = None, **options: Any) -> Axes:
        """Draw the section with `physlearn.plotting.section_plot`: one dot per crossing, one colour per orbit.

        Parameters
        ----------
        plane
            Two coordinates; defaults to the first two of the section's own plane. The momentum conjugate to the surface's
            coordinate comes last, so that a model without a Hamiltonian is drawn in the same plane as its system.
        **options
            Options of `physlearn.plotting.section_plot`, such as ``chaotic`` and ``ax``, and matplotlib's.

        Returns
        -------
        Axes
            The matplotlib axes.

        Raises
        ------
        InputError
            For a flow with two coordinates, as its crossings differ in only one.
        """
        from physlearn.plotting import section_plot

        if plane is None:
            if len(self.plane) < 2:
                raise InputError(f"this section has only the coordinate {', '.join(self.plane)}, but a plot needs two")
            last = None if self.surface is None else f"p_{self.surface[0]}"
            names = sorted(self.plane, key=lambda name: name == last)  # a stable sort keeps their order
            plane = names[0], names[1]
        return section_plot(self.to_frame(), plane, **options)

    def to_frame(self) -> pd.DataFrame:
        """Convert the section to a data frame.

        Returns
        -------
        DataFrame
            One row per crossing: orbit, t, and one column per coordinate.
        """
        columns = dict(zip(self.coordinates, self.z.cpu().unbind(-1), strict=True))
        data = {"orbit": self.orbit.cpu(), "t": self.t.cpu(), **columns}
        return pd.DataFrame({name: values.numpy() for name, values in data.items()})


@keyword_only("surface", "direction", "dt")
@takes_arrays("z0")
@unrecorded
def poincare_section(
    flow: FlowLike | Map,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    surface: tuple[str | int, float] | None = None,
    direction: int = 1,
    escape: float | None = None,
    method: str | None = None,
) -> Section:
    r"""Find where the orbits from z0 cross the surface on which a coordinate has a given value.

    .. math:: \frac{dz}{ds} = \frac{f(t, z)}{f_s(t, z)}, \qquad \frac{dt}{ds} = \frac1{f_s(t, z)}

    After a step that ends on the other side of the surface, the coordinate s becomes the independent variable, and one rk4
    step leads from the nearer end of the step onto the surface. The orbit is then integrated to the time found in this way,
    and a second such step leads from there onto the surface, to rounding. For orbits that graze the surface, where s hardly
    moves, the step is bisected instead. A step in which s turns back near the surface is divided at the turning point, so
    that two crossings within one step are both found.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``. A map of `systems.maps` is its own section, whose
        points are all its iterates.
    z0 : shape ``(..., D)``
        Initial states. The result has their dtype and device. An initial state does not count as a crossing.
    time
        Integration time; for a map, the number of iterations.
    dt
        Step; by default 0.05 times the flow's time scale, 1/rate of its fastest linear motion, rounded to 1, 2 or 5 times a
        power of ten. Orbits that are not resolved by this step are integrated with steps of ``dt / 8``.
    surface
        Name or index of a coordinate, and its value; defaults to the system's own ``surface``, or to the first coordinate at 0
        if the flow defines none. For a periodic coordinate the value is taken modulo the period. ``("phase", 0.0)`` is the
        stroboscopic section of a flow with a period in time: the states when the drive has this phase, in radians after its
        phase at t = 0. Steps then divide the period.
    direction
        1 for crossings towards larger values, -1 towards smaller values, 0 for both.
    escape
        Radius beyond which an orbit has escaped, not counting angles; by default 1e12 times the orbit's spread, measured from
        its start. Orbits that are not finite have escaped too.
    method
        An explicit integrator; defaults to yoshida-4 for a separable Hamiltonian, and to rk4 for all other flows.

    Returns
    -------
    Section
        The crossings, and which orbits escaped or are not resolved.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If some orbits are not resolved even with the smaller steps; these have no crossings.

    References
    ----------
    Henon, Physica D 5, 412 (1982).

    Examples
    --------
    >>> import systems
    >>> oscillator = systems.get("harmonic-oscillator")
    >>> z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    >>> poincare_section(oscillator, z0, time=20, surface=("q", 0.0)).t
    tensor([ 4.7124, 10.9956, 17.2788], dtype=torch.float64)
    """
    rollout = Rollout.of(flow, z0, time, dt, method, maps=True)
    if rollout.flow.discrete:
        if surface is not None:
            raise InputError(f"a map is its own section, but surface is {surface!r}; leave surface out")
        return rollout.rounded(_of_iterates(rollout, Bounds.of(rollout, escape), None))
    if (phase := phase_of(rollout, surface)) is not None:
        return rollout.rounded(_of_iterates(whole_periods(rollout), Bounds.of(rollout, escape), phase))
    cut = surface_of(flow, rollout, surface, direction)
    bounds = Bounds.of(rollout, escape)
    resolution = resolve(rollout)
    resolution.warn(rollout, "they are left out of the section")
    return rollout.rounded(section_of(rollout, resolution, cut, bounds))


def _of_iterates(rollout: Rollout, bounds: Bounds, phase: float | None) -> Section:
    """Return all iterates of a map as a section, or the states of a flow at a phase of its drive."""
    resolution = resolve(rollout)
    resolution.warn(rollout, "they are left out of the section")
    if phase is None:
        everyone = torch.arange(len(rollout.z), device=rollout.z.device)
        orbit, t, z, escaped = iterates(rollout, bounds.among(everyone, resolution.scale))
    else:
        orbit, t, z, escaped = strobed(rollout, resolution, phase, bounds)
    return Section(
        orbit=orbit,
        t=t,
        z=shortest(z, rollout.flow.periods, rollout.coordinates),
        escaped=escaped.reshape(rollout.batch),
        unresolved=(~resolution.resolved).reshape(rollout.batch),
        coordinates=rollout.coordinates,
        surface=None if phase is None else (PHASE, phase),
        plane=rollout.coordinates,
    )


def surface_of(flow: FlowLike | Map, rollout: Rollout, surface: tuple[str | int, float] | None, direction: int) -> Surface:
    """Return the requested surface, or else that of the flow; raise InputError if it is invalid."""
    usual = getattr(flow, "surface", (rollout.coordinates[0], 0.0))
    axis, value = _surface(usual if surface is None else surface, rollout.coordinates)
    if direction not in (-1, 0, 1):
        raise InputError(f"direction must be 1, -1 or 0 for both, not {direction!r}")
    return Surface(axis, value, rollout.turning[axis], direction)


def section_of(rollout: Rollout, resolution: Resolution, surface: Surface, bounds: Bounds) -> Section:
    """Compute the section of a rollout, each orbit with the step that resolves it."""
    orbit, t, z, escaped = events(rollout, resolution, surface, bounds)
    name = rollout.coordinates[surface.axis]
    return Section(
        orbit=orbit,
        t=t,
        z=_reduced(z, rollout, surface),
        escaped=escaped.reshape(rollout.batch),
        unresolved=(~resolution.resolved).reshape(rollout.batch),
        coordinates=rollout.coordinates,
        surface=(name, surface.value),
        plane=_plane(rollout, surface.axis),
    )


def _reduced(z: Float[Tensor, "N D"], rollout: Rollout, surface: Surface) -> Float[Tensor, "N D"]:
    """Return the states with angles within half a period of zero, and that of the surface near its value."""
    reduced = shortest(z, rollout.flow.periods, rollout.coordinates)
    if isfinite(surface.period):
        side = surface.side(z)
        reduced[:, surface.axis] = surface.value + side - (side / surface.period).round() * surface.period
    return reduced


def _plane(rollout: Rollout, axis: int) -> tuple[str, ...]:
    told = {axis}
    dim = len(rollout.coordinates)
    if rollout.flow.hamiltonian is not None and dim > 2:
        told.add((axis + dim // 2) % dim)
    return tuple(name for i, name in enumerate(rollout.coordinates) if i not in told)


def _surface(surface: tuple[str | int, float], coordinates: tuple[str, ...]) -> tuple[int, float]:
    """Return the index of the surface's coordinate, and its value."""
    try:
        which, value = surface
        value = float(value)
    except (TypeError, ValueError):
        raise InputError(f"surface must be a coordinate and its value, such as ('x', 0.0), not {surface!r}") from None
    if isinstance(which, str):
        if which not in coordinates:
            raise InputError(f"there is no coordinate {which!r}; the coordinates are {', '.join(coordinates)}")
        return coordinates.index(which), value
    if which not in range(len(coordinates)):
        raise InputError(f"there is no coordinate {which!r}; the coordinates are numbered from 0 to {len(coordinates) - 1}")
    return int(which), value
