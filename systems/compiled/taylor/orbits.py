"""High-accuracy orbits by Taylor series."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, exp, inf
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.compiled.adaptive import lost
from systems.compiled.blocks import WORTH_THREADS, each_block, one_by_one, side_by_side
from systems.compiled.field import ParametrizedField
from systems.compiled.scales import scales
from systems.compiled.taylor.lanes import Lanes
from systems.compiled.taylor.series import Series, heyoka, series_of
from systems.compiled.threads import allowed
from systems.errors import IntegrationError
from systems.reference.time_scale import power_of_two
from systems.reference.tolerances import FINEST

# Steps are shorter by e^-2 than the radius of convergence, and the order p follows from the tolerance e^(-2 (p - 1)). The
# first term that is left out, of order p + 1, is therefore smaller than the tolerance by e^-4.
SPREAD = exp(4)  # ratio of the sizes of coordinates, and of 1 to them, for which this makes up
MORE_ORDERS = 3  # which make up for more; beyond them, coordinates get their own units
WORTH_LANES = 3  # orbits; one after the other, fewer are faster than side by side
OPERATIONS_OF_A_TURN = 20_000_000  # of a field, so that the user can interrupt within a second
OPERATIONS_OF_A_STEP = 200  # for each operation of the field, which is computed for each order of the series
PERIODS_AT_ONCE = 16  # after which the time is reduced modulo the period
OF_A_PERIOD, OF_THE_TIME = 1 / 8, 1 / 20  # longest step of a driven system, which must not miss a pulse of its drive
MOST = 1_000_000_000  # steps of an orbit, which take minutes
SMALLEST = 1e-15  # a step that is shorter than this share of the time cannot be told from none


class _Span(NamedTuple):
    """A part of the time: when it begins, the field's time there, and the field's times at its outputs and at its end."""

    begin: float
    clock: float
    rows: slice
    times: np.ndarray
    end: float


class _Blocks(NamedTuple):
    """Orbits side by side: their numbers, initial states, units, and states at all times, with the lanes last."""

    orbits: np.ndarray
    start: np.ndarray
    units: np.ndarray | None
    out: np.ndarray


def solve(
    field: ParametrizedField,
    z0: Float[Tensor, "n D"],
    t: Float[Tensor, " T"],
    tolerance: float,
    period: float | None = None,
) -> Float[Tensor, "n T D"]:
    """Solve dz/dt = field(t, z) with z = z0 at t[0] by Taylor series, and return the states at the times t.

    The order of the series follows from the tolerance, and each step of each orbit is as long as the last terms of its series
    allow. Errors are relative to the sizes of the coordinates: where these differ, the order is raised, or the coordinates are
    integrated in units of their sizes. Many orbits are integrated side by side, and agree with each of them alone within the
    tolerance.

    Parameters
    ----------
    field : ParametrizedField
        The field.
    z0 : shape ``(n, D)``
        States at ``t[0]``.
    t : shape ``(T,)``
        Times, increasing or decreasing.
    tolerance : float
        Tolerance of a step. The finest one, at which rounding dominates the error, takes the place of smaller ones.
    period : float, optional
        Period of the field in time.

    Returns
    -------
    Tensor, shape ``(n, T, D)``
        States at the times, in float64.

    Raises
    ------
    IntegrationError
        If an orbit diverges or needs too many steps.

    References
    ----------
    Jorba and Zou, Experimental Mathematics 14, 99 (2005), choose the order and the steps in this way.
    """
    states, times = z0.detach().double().cpu().numpy(), t.detach().double().cpu().numpy()
    if len(t) == 1 or not states.size:
        return z0.detach().double().unsqueeze(1).repeat(1, len(t), 1)
    return torch.from_numpy(_Run(field, states, times, tolerance, period).states())


class _Run:
    def __init__(
        self, field: ParametrizedField, z0: np.ndarray, t: np.ndarray, tolerance: float, period: float | None
    ) -> None:
        self.field, self.z0, self.t = field, z0, t
        self.series: Series = series_of(field.field)
        clock = float(t[0]) if period is None else float(t[0]) % period
        rate = field(clock, z0)
        if not np.isfinite(rate).all():
            raise lost(z0, int(np.argmin(np.isfinite(rate).all(1))), t[0])
        size, fastest = scales(field, clock, z0, rate, roughly=True)
        self.tolerance, self.units = _fitted(size, max(tolerance, sum(FINEST["taylor"])))
        self.duration = abs(t[-1] - t[0])
        self.longest = self._longest(float(fastest.max()), period)
        self.spans = _spans(t, period, driven=self.series.driven)
        self.turn = ceil(OPERATIONS_OF_A_TURN / self.series.cost)

    def states(self) -> np.ndarray:
        n = len(self.z0)
        lanes = heyoka().recommended_simd_size() if n >= WORTH_LANES else 1
        blocks = self._blocks(np.arange(n), lanes)
        steps = self._follow(blocks, slice(0, 1))
        left = len(blocks.start) - 1
        work = steps * self.series.cost * OPERATIONS_OF_A_STEP * left
        parts = min(left, 8 * allowed() if work > WORTH_THREADS and allowed() > 1 else 1)  # threads end at the same time
        ends = np.linspace(1, left + 1, parts + 1).astype(int).tolist()

        def follow(part: int) -> None:
            self._follow(blocks, slice(ends[part], ends[part + 1]))

        each_block(follow, parts, work)
        out = one_by_one(blocks.out, n)
        if self.units is not None:
            out *= self.units[:, None]
        out[:, 0] = self.z0
        return out

    def _blocks(self, orbits: np.ndarray, lanes: int) -> _Blocks:
        z0, units = self.z0[orbits], None if self.units is None else self.units[orbits]
        start = side_by_side(z0 if units is None else z0 / units, lanes)
        return _Blocks(
            side_by_side(orbits, lanes),
            start,
            None if units is None else side_by_side(units, lanes),
            np.empty((len(start), len(self.t), *start.shape[1:])),
        )

    def _longest(self, fastest: float, period: float | None) -> float:
        if not self.series.driven:
            return inf
        own = 1 / fastest if fastest > 0 else inf
        return min(own, OF_THE_TIME * self.duration if period is None else OF_A_PERIOD * period)

    def _follow(self, blocks: _Blocks, some: slice) -> int:
        """Follow the orbits of some blocks, and return how many steps the first orbit took in the last part of the time."""
        lanes = blocks.start.shape[-1]
        with self.series.integrator(self.tolerance, lanes, blocks.units is not None) as integrator:
            self.series.set_parameters(integrator, self.field.parameters)
            flow = Lanes(integrator, lanes, self.longest, self.turn)
            for block in range(some.start, some.stop):
                if blocks.units is not None:
                    self.series.set_units(integrator, blocks.units[block])
                flow.states[:] = blocks.start[block]
                for span in self.spans:
                    self._through(flow, span, blocks.orbits[block], blocks.out[block, span.rows])
            return len(self.spans) * int(flow.steps.max(initial=0))

    def _through(self, flow: Lanes, span: _Span, orbits: np.ndarray, out: np.ndarray) -> None:
        """Move orbits through a part of the time, and write their states at its outputs."""
        flow.begin(span.clock)
        times, ends = span.times, np.full(out.shape[-1], span.end)
        if len(times) == 1 and times[0] == span.end:
            self._until(flow, span, orbits, ends)
            out[0] = flow.states
            return
        if not flow.along(np.concatenate([[span.clock], times]), out):
            self._onward(flow, span, orbits, out)
        if span.end not in times[-1:]:
            self._until(flow, span, orbits, ends)

    def _onward(self, flow: Lanes, span: _Span, orbits: np.ndarray, out: np.ndarray) -> None:
        """Go on after a turn, from one output to the next."""
        self._check(flow, span, orbits)
        place = (~np.isnan(out[:, 0])).sum(axis=0)
        while (left := np.flatnonzero(place < len(out))).size:
            self._until(flow, span, orbits, span.times[np.minimum(place, len(out) - 1)])
            out[place[left], :, left] = flow.states.T[left]
            place[left] += 1

    def _until(self, flow: Lanes, span: _Span, orbits: np.ndarray, times: np.ndarray) -> None:
        while not flow.until(times):
            self._check(flow, span, orbits)

    def _check(self, flow: Lanes, span: _Span, orbits: np.ndarray) -> None:
        """Raise IntegrationError if an orbit was lost, does not move, or needs too many steps."""
        elapsed = span.begin + (flow.times - span.clock)
        stopped = [lane for lane in flow.unfinished if not abs(flow.last_steps[lane]) > SMALLEST * abs(elapsed[lane])]
        for lane in (*flow.lost, *stopped):
            for before in orbits[:lane]:  # which may be lost later in time
                self._follow(self._blocks(np.array([before]), 1), slice(0, 1))
            raise lost(self.z0, int(orbits[lane]), self.t[0] + elapsed[lane], "the Taylor series of its field is not finite")
        for lane in flow.unfinished:
            left = (self.duration - abs(elapsed[lane])) / abs(flow.last_steps[lane])
            if left > MOST:
                raise IntegrationError(
                    f"orbit {orbits[lane]} needs about {left:.0e} steps from t = {self.t[0] + elapsed[lane]:g} to "
                    f"{self.t[-1]:g}, and engine='taylor' takes {MOST:.0e} at most; ask for a shorter time"
                )


def _fitted(size: np.ndarray, tolerance: float) -> tuple[float, np.ndarray | None]:
    """Return the tolerance of series, and units of the coordinates of each orbit or None.

    heyoka relates errors to the largest coordinate, or to 1 if that is larger. Smaller coordinates need a smaller tolerance,
    which costs some percent, or units, which cost half as much again.
    """
    scale = np.maximum(size.max(axis=1, keepdims=True), 1.0)
    spread = float((scale / np.where(size > 0, size, scale)).max())
    orders = max(0, ceil(np.log(spread / SPREAD) / 2))
    return (tolerance, power_of_two(size)) if orders > MORE_ORDERS else (tolerance * exp(-2 * orders), None)


def _spans(t: np.ndarray, period: float | None, *, driven: bool) -> list[_Span]:
    """Return the parts of the time: one, unless the field has a period.

    The field's time then starts anew after some periods, so that its phase keeps all digits.
    """
    since = t - t[0]
    if not driven:
        return [_Span(0.0, 0.0, slice(1, None), since[1:], since[-1])]
    if period is None:
        return [_Span(0.0, t[0], slice(1, None), t[1:], t[-1])]
    length = PERIODS_AT_ONCE * period
    begins = np.arange(ceil(abs(since[-1]) / length)) * np.copysign(length, since[-1])
    ends = np.append(begins[1:], since[-1])
    rows = np.searchsorted(abs(since), abs(np.append(begins, since[-1])), side="right")
    spans = []
    for begin, end, low, high in zip(begins, ends, rows[:-1], rows[1:], strict=True):
        clock = float((Fraction(t[0]) + Fraction(begin)) % Fraction(period))
        spans.append(_Span(begin, clock, slice(low, high), clock + (since[low:high] - begin), clock + (end - begin)))
    return spans
