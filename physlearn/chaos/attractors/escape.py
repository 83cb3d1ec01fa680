"""Escape: when orbits leave a region, and through which exit."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.crossing import HALVINGS, Steps, along
from physlearn.chaos.sections.events import stretch
from physlearn.flow import FlowLike
from physlearn.integrators.integrate import TYPICAL_WIDTH
from physlearn.threads import suited_to
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.errors import outside
from systems.floats import takes_arrays
from systems.maps import Map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STAYED, LOST = -1, -2  # codes of orbits that did not leave, and of those that became infinite without passing an exit
CHECKED = 64  # most orbits that are followed again with half the step
AGREEING = 0.9  # least part of these that must leave by the same exit

Exits = Mapping[str, Callable[[Tensor], Tensor]]


@dataclass(frozen=True, eq=False, repr=False)
class Escapes(Brief):
    """When and where orbits left.

    Parameters
    ----------
    time : shape ``(...)``
        Time of the escape; infinity for orbits that stayed, and NaN for orbits that became infinite without passing an exit.
    exit : shape ``(...)``
        Number of the exit; -1 for orbits that stayed, and -2 for those that became infinite.
    z : shape ``(..., D)``
        State at the exit; NaN for the others.
    z0 : shape ``(..., D)``
        The initial states.
    names
        Names of the exits.
    coordinates
        Names of the coordinates.
    agreement
        Part of up to 64 of the orbits that has the same exit with half the step; 1 for a map.
    """

    time: Float[Tensor, "*batch"]
    exit: Int[Tensor, "*batch"]
    z: Float[Tensor, "*batch D"]
    z0: Float[Tensor, "*batch D"]
    names: tuple[str, ...]
    coordinates: tuple[str, ...]
    agreement: float

    def to_frame(self) -> pd.DataFrame:
        """Count the orbits of each exit.

        Returns
        -------
        DataFrame
            One row per exit and one for orbits that stayed: ``exit``, ``orbits``, ``fraction`` of all orbits and its standard
            ``error`` if these are a random sample, and the ``mean_time`` of the escape. Orbits that became infinite without
            passing an exit are in the row "lost", if there are any.
        """
        code, time = self.exit.reshape(-1).cpu(), self.time.reshape(-1).cpu()
        rows = []
        named = [*enumerate(self.names), (STAYED, "none")]
        for number, name in [*named, (LOST, "lost")] if bool((code == LOST).any()) else named:
            own = code == number
            part = float(own.double().mean())
            error = (part * (1 - part) / max(1, len(code))) ** 0.5
            mean = float(time[own].mean()) if number >= 0 and own.any() else nan
            rows.append({"exit": name, "orbits": int(own.sum()), "fraction": part, "error": error, "mean_time": mean})
        return pd.DataFrame(rows)

    def remaining(self, t: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
        """Return the fraction of the orbits that are still inside at some times.

        Parameters
        ----------
        t : shape ``(...)``
            Times, up to that for which orbits were followed.

        Returns
        -------
        Tensor, shape ``(...)``
            The fraction, which falls exponentially if the motion inside is fully chaotic.
        """
        t = torch.as_tensor(t, dtype=torch.float64, device=self.time.device)
        return (self.time.reshape(-1) > t[..., None]).double().mean(-1)

    def plot(self, plane: tuple[str, str] | None = None, *, ax: Axes | None = None, **style: Any) -> Axes:
        """Draw the initial states, each in the colour of its exit, with `physlearn.plotting.exit_plot`.

        Parameters
        ----------
        plane
            Two coordinates; by default the first two in which the initial states differ.
        ax
            Where to draw; by default, a new figure.
        **style
            Options of matplotlib's ``scatter``.

        Returns
        -------
        Axes
            The matplotlib axes.

        Raises
        ------
        InputError
            If a coordinate is unknown, or if the initial states differ in fewer than two.
        """
        from physlearn.plotting import exit_plot

        z0 = self.z0.reshape(-1, self.z0.shape[-1]).cpu().numpy()
        spans = dict(zip(self.coordinates, np.ptp(z0, axis=0), strict=True))
        varied = [name for name, span in spans.items() if span > 0]
        varied.sort(key=lambda name: spans.get(name.removeprefix("p_")) == 0)  # the energy determines such a momentum
        names = tuple(varied[:2]) if plane is None else plane
        if len(names) < 2 or (unknown := [name for name in names if name not in self.coordinates]):
            what = f"there is no coordinate {unknown[0]!r}" if len(names) == 2 else "initial states differ in fewer than two"
            raise InputError(f"{what}; name two of the coordinates {', '.join(self.coordinates)} as plane")
        points = z0[:, [self.coordinates.index(name) for name in names]]
        return exit_plot(points, self.exit.reshape(-1).cpu().numpy(), (names[0], names[1]), self.names, ax=ax, **style)


@takes_arrays("z0")
@unrecorded
def escape_times(
    flow: FlowLike | Map,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    exits: Exits | None = None,
    method: str | None = None,
) -> Escapes:
    """Find when orbits leave a region, and through which of its exits.

    The exits are looked at after each step. The step in which an orbit passes one is bisected to the last bit, so that the
    time has the accuracy of the steps.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, a function ``f(t, z)``, or a map of `systems.maps`.
    z0 : shape ``(..., D)``
        Initial states. Those that are beyond an exit leave at the time 0.
    time
        Time after which orbits are no longer followed; for a map, the number of iterations.
    dt
        Step, as in `lyapunov_exponents`; it is the same for all orbits.
    exits
        A function of the states ``(..., D) -> (...)`` for each exit, by name, which is positive beyond the exit. By default
        those that the system declares as its ``exits``, as the Henon-Heiles system does.
    method
        An explicit integrator; defaults to yoshida-6 for a separable Hamiltonian, since the orbits are chaotic, and to rk4
        for all other flows.

    Returns
    -------
    Escapes
        The time and the exit of each orbit.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If more than a tenth of some orbits that are followed again with half the step leave by another exit.

    References
    ----------
    Aguirre, Vallejo, Sanjuan, Phys. Rev. E 64, 066208 (2001).

    Examples
    --------
    >>> def falling(t, z):
    ...     return -torch.ones_like(z)
    >>> found = escape_times(falling, [[1.0], [5.0]], time=2.0, exits={"floor": lambda z: -z[..., 0]})
    >>> found.time.round(decimals=9).tolist(), found.exit.tolist()
    ([1.0, inf], [0, -1])
    """
    given = exits if exits is not None else getattr(flow, "exits", None)
    if not isinstance(given, Mapping) or not given or not all(callable(exit_) for exit_ in given.values()):
        what = "the flow declares none" if exits is None else f"exits is {exits!r}"
        raise InputError(
            f"exits must be functions of the states by name, but {what}; give some, such as "
            "{'x > 1': lambda z: z[..., 0] - 1}"
        )
    if method is None and getattr(flow, "separable", False):
        method = "yoshida-6"
    rollout = Rollout.of(flow, z0, time, dt, method, maps=True)
    beyond = partial(_beyond, given)
    when, which, end = _escapes(rollout, beyond)
    agreement = 1.0
    if not rollout.flow.discrete and len(rollout.z):
        few = torch.linspace(0, len(rollout.z) - 1, min(CHECKED, len(rollout.z))).round().long().to(rollout.z.device)
        again = _escapes(rollout.among(few).finer(1), beyond)[1]
        agreement = float((again == which[few]).double().mean())
        if agreement < AGREEING:
            warnings.warn(
                f"with steps of {rollout.dt / 2:.3g} instead of {rollout.dt:.3g}, only {agreement:.0%} of {len(few)} orbits "
                "leave by the same exit; use a smaller dt, or a shorter time, after which no step is small enough",
                stacklevel=outside(),
            )
    shape = rollout.batch
    result = Escapes(
        time=when.reshape(shape),
        exit=which.reshape(shape),
        z=end.reshape(*shape, len(rollout.coordinates)),
        z0=rollout.z.reshape(*shape, len(rollout.coordinates)),
        names=tuple(map(str, given)),
        coordinates=rollout.coordinates,
        agreement=agreement,
    )
    return rollout.rounded(result)


def _beyond(exits: Exits, z: Float[Tensor, "*n D"]) -> Float[Tensor, "*n k"]:
    """Return the values of all exits; raise InputError if one has another shape."""
    values = []
    for name, exit_ in exits.items():
        value = torch.as_tensor(exit_(z))
        if value.shape != z.shape[:-1]:
            raise InputError(
                f"the exit {name!r} returns shape {tuple(value.shape)} for states of shape {tuple(z.shape)}; it must return "
                "one number per state"
            )
        values.append(value.to(z))
    return torch.stack(values, dim=-1)


def _escapes(rollout: Rollout, beyond: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the time, the number of the exit, and the state there, of each orbit."""
    n, z = len(rollout.z), rollout.z
    when = torch.full((n,), inf, dtype=z.dtype, device=z.device)
    which = torch.full((n,), STAYED, dtype=torch.long, device=z.device)
    end = torch.full_like(z, nan)
    value, number = beyond(z).max(-1)
    out = value > 0
    when[out], which[out], end[out] = 0.0, number[out], z[out]
    alive = (~out).nonzero().squeeze(-1)
    z = z[alive]
    together = stretch(rollout)
    with suited_to(rollout.z.numel() * TYPICAL_WIDTH):
        for first in range(0, rollout.steps, together):
            if not len(alive):
                break
            path = rollout.path(z, first, min(together, rollout.steps - first))
            values = beyond(path[1:])
            passed = (values > 0).any(-1)
            ended = passed | ~path[1:].isfinite().all(-1)
            gone = ended.any(0)
            at = ended.int().argmax(0)[gone]  # the first
            rows, places = alive[gone], gone.nonzero().squeeze(-1)
            left = passed[at, places]
            when[rows], which[rows] = nan, LOST
            at, rows, places = at[left], rows[left], places[left]
            which[rows] = values[at, places].nan_to_num(-inf).argmax(-1)
            t = ((first + at).double() * rollout.dt).to(z)
            if rollout.flow.discrete:
                when[rows], end[rows] = t + 1, path[at + 1, places]
            elif len(rows):
                steps = Steps(rows, t, torch.full_like(t, rollout.dt), path[at, places], path[at + 1, places])
                when[rows], end[rows] = _refined(rollout, steps, which[rows], beyond)
            z, alive = path[-1][~gone], alive[~gone]
    return when, which, end


def _refined(
    rollout: Rollout, steps: Steps, number: Int[Tensor, " m"], beyond: Callable[[Tensor], Tensor]
) -> tuple[Float[Tensor, " m"], Float[Tensor, "m D"]]:
    """Return the times and the states at which orbits pass their exits, by bisection."""
    low, length = torch.zeros_like(steps.h), steps.h
    for _ in range(HALVINGS):
        length = length / 2
        value = beyond(along(rollout, steps, low + length)).gather(-1, number[:, None])[:, 0]
        low = torch.where(value > 0, low, low + length)
    return steps.t + low, along(rollout, steps, low)
