"""Poincare sections: where orbits pierce a surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes
from torch import Tensor

from physlearn.chaos.walk import Walk, lost
from physlearn.integrators import Flow
from physlearn.integrators.integrate import TYPICAL_WIDTH
from physlearn.integrators.rk4 import RungeKutta4
from physlearn.plotting import section_plot
from physlearn.threads import suited_to
from systems import InputError

TOGETHER = 64  # steps that are searched for crossings at once
HALVINGS = 53  # of a step, down to the last bit of a float64


@dataclass(frozen=True)
class Section:
    """The N crossings of a surface, orbit by orbit, in the order of time.

    orbit: ``(N,)``, which orbit each is of, counted through the flattened batch of initial states. t: ``(N,)``, when;
    z: ``(N, D)``, where. escaped: ``(...)``, the orbits that left, which have no crossings from then on. surface: the
    coordinate and its value there. plane: the coordinates that tell a point on the surface: all others but, of a Hamiltonian
    of more than one degree of freedom, the momentum conjugate to it, which the energy tells.
    """

    orbit: Int[Tensor, " N"]
    t: Float[Tensor, " N"]
    z: Float[Tensor, "N D"]
    escaped: Bool[Tensor, "*batch"]
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


def poincare_section(
    flow: Any,
    z0: Float[Tensor, "*batch D"],
    time: float,
    surface: tuple[str | int, float] = ("x", 0.0),
    direction: int = 1,
    dt: float = 0.05,
    *,
    escape: float = 1e6,
    method: str | None = None,
) -> Section:
    r"""The crossings of the surface, where a coordinate has a value, by the orbits from z0 in a time.

    .. math:: \frac{dz}{ds} = \frac{f(t, z)}{f_s(t, z)}, \qquad \frac{dt}{ds} = \frac1{f_s(t, z)}

    A step of length dt that ends on the other side is followed by one with the coordinate s itself as the independent
    variable, from the nearer end onto the surface, and by another from where the orbit is at the time so found: by rk4, and
    on the surface to rounding. Orbits that graze the surface, where s hardly moves, are brought there by halving the step.
    Two crossings within dt are missed.

    flow: a system, a trained model or Forecaster, or a function ``f(t, z)``; z0 keeps its dtype and device. surface: a
    coordinate's name or number, and its value. direction: 1 counts crossings towards larger values, -1 towards smaller,
    0 both; the initial states themselves do not count. escape: an orbit farther out, or not finite, has escaped. method:
    an explicit integrator; by default yoshida-4 for a separable Hamiltonian, rk4 for every other flow.

    Raises InputError for wrong arguments.
    Source: Henon, Physica D 5, 412 (1982).

    >>> import systems
    >>> oscillator = systems.get("harmonic-oscillator")
    >>> z0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    >>> poincare_section(oscillator, z0, time=20, surface=("q", 0.0)).t
    tensor([ 4.7124, 10.9956, 17.2788], dtype=torch.float64)
    """
    walk = Walk.of(flow, z0, time, dt, method)
    axis, value = _surface(surface, walk.coordinates)
    if direction not in (-1, 0, 1):
        raise InputError(f"direction must be 1, -1 or 0 for both, not {direction!r}")
    if not escape > 0:
        raise InputError(f"escape must be a positive radius, not {escape}")
    with torch.no_grad(), suited_to(walk.z.numel() * TYPICAL_WIDTH):
        orbit, t, z, escaped = _follow(walk, axis, value, direction, escape)
    order = torch.argsort(t, stable=True)
    order = order[torch.argsort(orbit[order], stable=True)]
    return Section(
        orbit=orbit[order],
        t=t[order],
        z=z[order],
        escaped=escaped.reshape(walk.batch),
        coordinates=walk.coordinates,
        surface=(walk.coordinates[axis], value),
        plane=_plane(walk, axis),
    )


def _plane(walk: Walk, axis: int) -> tuple[str, ...]:
    told = {axis}
    dim = len(walk.coordinates)
    if walk.flow.hamiltonian is not None and dim > 2:
        told.add((axis + dim // 2) % dim)
    return tuple(name for i, name in enumerate(walk.coordinates) if i not in told)


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


def _follow(walk: Walk, axis: int, value: float, direction: int, escape: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(orbit, t, z) of the crossings in no order, and which orbits escaped."""
    alive = torch.arange(len(walk.z), device=walk.z.device)
    escaped = torch.zeros_like(alive, dtype=torch.bool)
    z = walk.z
    found = [(alive[:0], z[:0, 0], z[:0])]
    for start in range(0, walk.steps, TOGETHER):
        states = [z]
        numbers = range(start, min(start + TOGETHER, walk.steps))
        for number in numbers:
            z = walk.step(z.new_tensor(number * walk.dt), z, walk.dt)
            states.append(z)
        path = torch.stack(states)  # (steps + 1, n, D)
        gone = lost(path, escape).cummax(0).values
        side = path[..., axis] - value
        crossed = _crossed(side[:-1], side[1:], direction) & ~gone[1:]
        at, which = crossed.nonzero(as_tuple=True)
        times = (torch.tensor(list(numbers), dtype=torch.float64) * walk.dt).to(z)
        if len(at):
            t, there = _onto(walk, axis, value, times[at], path[at, which], path[at + 1, which])
            found.append((alive[which], t, there))
        escaped[alive[gone[-1]]] = True
        z, alive = z[~gone[-1]], alive[~gone[-1]]
        if not len(alive):
            break
    orbit, t, z = (torch.cat(parts) for parts in zip(*found, strict=True))
    return orbit, t, z, escaped


def _crossed(before: Tensor, after: Tensor, direction: int) -> Bool[Tensor, "..."]:
    up = (before < 0) & (after >= 0)
    down = (before > 0) & (after <= 0)
    return {1: up, -1: down, 0: up | down}[direction]


def _onto(
    walk: Walk, axis: int, value: float, t: Float[Tensor, " m"], before: Float[Tensor, "m D"], after: Float[Tensor, "m D"]
) -> tuple[Float[Tensor, " m"], Float[Tensor, "m D"]]:
    """Times and states on the surface, for steps from the times t that crossed it."""
    far = (before[:, axis] - value).abs() > (after[:, axis] - value).abs()
    start = torch.cat([torch.where(far[:, None], after, before), torch.where(far, t + walk.dt, t)[:, None]], dim=-1)

    def by_time(y: Tensor) -> Tensor:
        rate = _rate(walk, y[:, -1], y[:, :-1])
        return torch.cat([rate, torch.ones_like(rate[:, :1])], dim=-1)

    def by_coordinate(y: Tensor) -> Tensor:
        rate = by_time(y)
        return rate / rate[:, axis, None]

    begin = torch.cat([before, t[:, None]], dim=-1)
    guess = _rk4(by_coordinate, start, (value - start[:, axis])[:, None])
    elapsed = guess[:, -1] - t
    slack = 1e-6 * walk.dt  # a crossing at the very end of a step may come out beyond it by rounding
    lies = (elapsed >= -slack) & (elapsed <= walk.dt + slack)
    # where s moves unevenly, that step is long: follow the orbit to its time, and step over what is left
    near = _rk4(by_time, begin, elapsed[:, None])
    there = _rk4(by_coordinate, near, (value - near[:, axis])[:, None])
    lies &= (there[:, -1] - guess[:, -1]).abs() <= walk.dt / 8
    if not lies.all():
        there[~lies] = _halve(by_time, begin[~lies], axis, value, walk.dt)
    return there[:, -1], there[:, :-1]


def _rate(walk: Walk, t: Float[Tensor, " m"], z: Float[Tensor, "m D"]) -> Float[Tensor, "m D"]:
    """The vector field at a time for each state: fields take one time for all, so that others are asked one by one."""
    if walk.flow.autonomous:
        return walk.flow.field(t.new_zeros(()), z)
    return torch.stack([walk.flow.field(time, state) for time, state in zip(t, z, strict=True)])


def _halve(
    f: Callable[[Tensor], Tensor], y: Float[Tensor, "m D1"], axis: int, value: float, dt: float
) -> Float[Tensor, "m D1"]:
    """The states on the surface by halving the step that crosses it."""
    side = (y[:, axis] - value).sign()
    low = torch.zeros_like(y[:, :1])
    length = dt
    for _ in range(HALVINGS):
        length /= 2
        middle = _rk4(f, y, low + length)
        low = torch.where(((middle[:, axis] - value).sign() == side)[:, None], low + length, low)
    return _rk4(f, y, low)


def _rk4(f: Callable[[Tensor], Tensor], y: Float[Tensor, "m D1"], h: Float[Tensor, "m 1"]) -> Float[Tensor, "m D1"]:
    """A step of its own length for each state."""
    return RungeKutta4(Flow(field=lambda _, y: f(y), name="section")).step(y.new_zeros(()), y, h)
