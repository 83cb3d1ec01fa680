"""Poincare sections: where orbits pierce a surface."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from physlearn.chaos.crossing import Steps, Surface, crossings, rates
from physlearn.chaos.leaving import Bounds
from physlearn.chaos.resolution import Resolution, resolve
from physlearn.chaos.rollout import Rollout
from physlearn.flow import FlowLike
from physlearn.integrators.integrate import TYPICAL_WIDTH
from physlearn.threads import suited_to
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.deprecation import keyword_only
from systems.floats import takes_arrays
from systems.periodic import shortest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOGETHER = 64  # steps that are searched for crossings at once


@dataclass(frozen=True)
class Section:
    """The N crossings of a surface, orbit by orbit, in the order of time.

    Attributes
    ----------
    orbit : shape ``(N,)``
        Which orbit each is of, counted through the flattened batch of initial states.
    t : shape ``(N,)``
        When.
    z : shape ``(N, D)``
        Where. Angles are within half a period of zero, the one that makes the surface at its value.
    escaped : shape ``(...)``
        The orbits that left, which have no crossings from then on.
    unresolved : shape ``(...)``
        The orbits that even the finest steps do not follow faithfully, which have no crossings.
    surface
        The coordinate and its value there.
    plane
        The coordinates that tell a point on the surface: all others but, of a Hamiltonian of more than one degree of
        freedom, the momentum conjugate to it, which the energy tells.
    """

    orbit: Int[Tensor, " N"]
    t: Float[Tensor, " N"]
    z: Float[Tensor, "N D"]
    escaped: Bool[Tensor, "*batch"]
    unresolved: Bool[Tensor, "*batch"]
    coordinates: tuple[str, ...]
    surface: tuple[str, float]
    plane: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.orbit)

    def of(self, orbit: int) -> Float[Tensor, "M D"]:
        """The crossings of one orbit, in the order of time."""
        return self.z[self.orbit == orbit]

    def plot(self, plane: tuple[str, str] | None = None, **options: Any) -> Axes:
        """Draw it, by `physlearn.plotting.section_plot`: a dot a crossing, a colour an orbit; gives the axes.

        plane: two coordinates, by default the first two of its own, but not the momentum of the surface's coordinate: a model
        that knows of no Hamiltonian is drawn as its system is. options: ``chaotic``, ``ax``, and matplotlib's.
        Raises InputError for a flow of two coordinates, whose crossings are told by one.
        """
        from physlearn.plotting import section_plot

        if plane is None:
            if len(self.plane) < 2:
                raise InputError(f"this section is told by {', '.join(self.plane)} alone: there is no plane to draw it in")
            names = sorted(self.plane, key=lambda name: name == f"p_{self.surface[0]}")  # the others in their order
            plane = names[0], names[1]
        return section_plot(self.to_frame(), plane, **options)

    def to_frame(self) -> pd.DataFrame:
        """One row a crossing: orbit, t, and a column for each coordinate."""
        columns = dict(zip(self.coordinates, self.z.cpu().unbind(-1), strict=True))
        data = {"orbit": self.orbit.cpu(), "t": self.t.cpu(), **columns}
        return pd.DataFrame({name: values.numpy() for name, values in data.items()})


@keyword_only("surface", "direction", "dt")
@takes_arrays("z0")
@unrecorded
def poincare_section(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    surface: tuple[str | int, float] | None = None,
    direction: int = 1,
    escape: float | None = None,
    method: str | None = None,
) -> Section:
    r"""Find where the orbits from z0 cross a surface, on which a coordinate has a value.

    .. math:: \frac{dz}{ds} = \frac{f(t, z)}{f_s(t, z)}, \qquad \frac{dt}{ds} = \frac1{f_s(t, z)}

    A step that ends on the other side is followed by one with the coordinate s itself as the independent variable, from the
    nearer end onto the surface, and by another from where the orbit is at the time so found: by rk4, and on the surface to
    rounding. Orbits that graze the surface, where s hardly moves, are brought there by halving the step. A step in which s
    turns back near the surface is divided at the turn, so that two crossings within a step are both found.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states, whose dtype and device are kept. They do not count as crossings.
    time
        How long.
    dt
        Step; by default 0.05 times the flow's time scale, 1/rate of its fastest linear motion, rounded to 1, 2 or 5 times a
        power of ten. Orbits that it does not resolve are followed in steps of an eighth.
    surface
        A coordinate's name or number, and its value; by default the system's own ``surface``, or the first coordinate at 0
        where the flow names none. A coordinate with a period crosses the surface modulo the period.
    direction
        1 counts crossings towards larger values, -1 towards smaller, 0 both.
    escape
        An orbit farther out than this, angles apart, or not finite, has escaped; by default 1e12 times as far from its start
        as it usually ranges.
    method
        An explicit integrator; by default yoshida-4 for a separable Hamiltonian, rk4 for every other flow.

    Returns
    -------
    Section
        The crossings, and which orbits have none because they escaped or are not resolved.

    Raises
    ------
    InputError
        For wrong arguments.

    Warns
    -----
    UserWarning
        If even the finer steps do not resolve some orbits; these have no crossings.

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
    rollout = Rollout.of(flow, z0, time, dt, method)
    cut = surface_of(flow, rollout, surface, direction)
    bounds = Bounds.of(rollout, escape)
    resolution = resolve(rollout)
    resolution.warn(rollout, "they are left out of the section")
    return section_of(rollout, resolution, cut, bounds)


def surface_of(flow: FlowLike, rollout: Rollout, surface: tuple[str | int, float] | None, direction: int) -> Surface:
    """The surface that was asked for, or else the one that the flow names. Raises InputError for one that is none."""
    usual = getattr(flow, "surface", (rollout.coordinates[0], 0.0))
    axis, value = _surface(usual if surface is None else surface, rollout.coordinates)
    if direction not in (-1, 0, 1):
        raise InputError(f"direction must be 1, -1 or 0 for both, not {direction!r}")
    return Surface(axis, value, rollout.turning[axis], direction)


def section_of(rollout: Rollout, resolution: Resolution, surface: Surface, bounds: Bounds) -> Section:
    """The section of a rollout, each orbit by the steps that resolve it."""
    escaped = torch.zeros(len(rollout.z), dtype=torch.bool, device=rollout.z.device)
    found = []
    with suited_to(rollout.z.numel() * TYPICAL_WIDTH):
        for rows, group in resolution.groups(rollout, resolution.resolved):
            numbers, t, z, escaped[rows] = _follow(group, surface, bounds.among(rows, resolution.scale[rows]))
            found.append((rows[numbers], t, z))
    empty = (torch.zeros(0, dtype=torch.long, device=rollout.z.device), rollout.z.new_zeros(0), rollout.z[:0])
    orbit, t, z = (torch.cat(parts) for parts in zip(empty, *found, strict=True))
    order = torch.argsort(t, stable=True)
    order = order[torch.argsort(orbit[order], stable=True)]
    name = rollout.coordinates[surface.axis]
    return Section(
        orbit=orbit[order],
        t=t[order],
        z=_reduced(z[order], rollout, surface),
        escaped=escaped.reshape(rollout.batch),
        unresolved=(~resolution.resolved).reshape(rollout.batch),
        coordinates=rollout.coordinates,
        surface=(name, surface.value),
        plane=_plane(rollout, surface.axis),
    )


def _reduced(z: Float[Tensor, "N D"], rollout: Rollout, surface: Surface) -> Float[Tensor, "N D"]:
    """The states with their angles within half a period of zero, or at the value of the surface."""
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
    """The number of the coordinate, and its value."""
    try:
        which, value = surface
        value = float(value)
    except (TypeError, ValueError):
        raise InputError(f"surface must be a coordinate and its value, as ('x', 0.0), not {surface!r}") from None
    if isinstance(which, str):
        if which not in coordinates:
            raise InputError(f"no coordinate {which!r}; there are {', '.join(coordinates)}")
        return coordinates.index(which), value
    if which not in range(len(coordinates)):
        raise InputError(f"no coordinate {which!r}; they are numbered from 0 to {len(coordinates) - 1}")
    return int(which), value


def _follow(rollout: Rollout, surface: Surface, bounds: Bounds) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(orbit, t, z) of the crossings in no order, and which orbits escaped."""
    alive = torch.arange(len(rollout.z), device=rollout.z.device)
    escaped = torch.zeros_like(alive, dtype=torch.bool)
    z = rollout.z
    found = [(alive[:0], z[:0, 0], z[:0])]
    for start in range(0, rollout.steps, TOGETHER):
        states = [z]
        numbers = range(start, min(start + TOGETHER, rollout.steps))
        for number in numbers:
            z = rollout.step(z.new_tensor(number * rollout.dt), z, rollout.dt)
            states.append(z)
        path = torch.stack(states)  # (steps + 1, n, D)
        gone = bounds.left(path, alive).cummax(0).values
        times = (torch.arange(start, start + len(path), dtype=torch.float64, device=z.device) * rollout.dt).to(z)
        side, slope = surface.side(path), rates(rollout, times, path)[..., surface.axis] * rollout.dt
        suspect = surface.suspect(side[:-1], side[1:], slope[:-1], slope[1:])
        crossed = suspect.clone()
        for passed, _ in surface.passed(side[:-1], side[1:]):
            crossed |= passed
        at, which = (crossed & ~gone[1:]).nonzero(as_tuple=True)
        if len(at):
            steps = Steps(
                alive[which], times[at], torch.full_like(times[at], rollout.dt), path[at, which], path[at + 1, which]
            )
            found.append(crossings(rollout, surface, steps, suspect[at, which]))
        escaped[alive[gone[-1]]] = True
        z, alive = z[~gone[-1]], alive[~gone[-1]]
        if not len(alive):
            break
    orbit, t, z = (torch.cat(parts) for parts in zip(*found, strict=True))
    return orbit, t, z, escaped
