"""High-accuracy orbits by Taylor series."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, inf
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.compiled.adaptive import lost
from systems.compiled.blocks import each_block
from systems.compiled.field import ParametrizedField
from systems.compiled.scales import scales
from systems.compiled.taylor.lanes import Lanes
from systems.compiled.taylor.series import Series, heyoka, series_of
from systems.errors import IntegrationError
from systems.reference.time_scale import power_of_two

SPREAD = 8.0  # largest ratio of the sizes of coordinates, and of 1 to them, with which they keep their units
WORTH_LANES = 3  # orbits; one after the other, fewer are faster than side by side
OPERATIONS_OF_A_TURN = 20_000_000  # of a field, so that the user can interrupt within a second
OPERATIONS_OF_A_STEP = 200  # for each operation of the field, which is computed for each order of the series
PERIODS_AT_ONCE = 16  # after which the time is reduced modulo the period
OF_A_PERIOD, OF_THE_TIME = 1 / 8, 1 / 20  # longest step of a driven system, which must not miss a pulse of its drive
MOST = 1_000_000_000  # steps of an orbit, which take minutes
SMALLEST = 1e-15  # a step that is shorter than this share of the time cannot be told from none


class Span(NamedTuple):
    """A part of the time: when it begins, the field's time there, and the field's times at its outputs and at its end."""

    begin: float
    clock: float
    rows: slice
    times: np.ndarray
    end: float


def solve(
    field: ParametrizedField,
    z0: Float[Tensor, "n D"],
    t: Float[Tensor, " T"],
    tolerance: float,
    period: float | None = None,
) -> Float[Tensor, "n T D"]:
    """Solve dz/dt = field(t, z) with z = z0 at t[0] by Taylor series, and return the states at the times t.

    The order of the series follows from the tolerance, and each step of each orbit is as long as the last terms of its series
    allow. Errors are relative to the sizes of the coordinates: where these differ, the coordinates are integrated in units of
    their sizes. Many orbits are integrated side by side, which changes their last digits.

    Parameters
    ----------
    field : ParametrizedField
        The field.
    z0 : shape ``(n, D)``
        States at ``t[0]``.
    t : shape ``(T,)``
        Times, increasing or decreasing.
    tolerance : float
        Tolerance of a step.
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
        self.field, self.z0, self.t, self.tolerance = field, z0, t, tolerance
        self.series: Series = series_of(field.field)
        clock = float(t[0]) if period is None else float(t[0]) % period
        rate = field(clock, z0)
        if not np.isfinite(rate).all():
            raise lost(z0, int(np.argmin(np.isfinite(rate).all(1))), t[0])
        size, fastest = scales(field, clock, z0, rate)
        self.units = _units(size)
        self.duration = abs(t[-1] - t[0])
        self.longest = self._longest(float(fastest.max()), period)
        self.spans = _spans(t, period, driven=self.series.driven)
        self.turn = ceil(OPERATIONS_OF_A_TURN / self.series.cost)
        self.out = np.empty((len(z0), len(t), z0.shape[1]))
        self.out[:, 0] = z0

    def states(self) -> np.ndarray:
        n = len(self.z0)
        lanes = heyoka().recommended_simd_size() if n >= WORTH_LANES else 1
        blocks = ceil(n / lanes)
        steps = self._follow(0, lanes)

        def work(block: int) -> None:
            self._follow((block + 1) * lanes, lanes)

        each_block(work, blocks - 1, steps * self.series.cost * OPERATIONS_OF_A_STEP * (blocks - 1))
        return self.out

    def _longest(self, fastest: float, period: float | None) -> float:
        if not self.series.driven:
            return inf
        own = 1 / fastest if fastest > 0 else inf
        return min(own, OF_THE_TIME * self.duration if period is None else OF_A_PERIOD * period)

    def _follow(self, first: int, lanes: int) -> int:
        """Follow some orbits and return the number of their steps."""
        orbits = np.minimum(np.arange(first, first + lanes), len(self.z0) - 1)  # the last one fills up the lanes
        units = None if self.units is None else self.units[orbits]
        with self.series.integrator(self.tolerance, lanes, units is not None) as integrator:
            self.series.set(integrator, self.field.parameters, units)
            flow = Lanes(integrator, lanes, self.longest, self.turn)
            z = self.z0[orbits]
            flow.start(self.spans[0].clock, z if units is None else z / units)
            for span in self.spans:
                self._through(flow, span, orbits)
        return int(flow.steps.max())

    def _through(self, flow: Lanes, span: Span, orbits: np.ndarray) -> None:
        """Move the orbits through a part of the time and keep their states at its outputs."""
        flow.start(span.clock)
        times, at_end = span.times, span.end in span.times[-1:]
        if len(times) == 1 and at_end:
            self._until(flow, span, orbits, np.full(len(orbits), span.end))
            found = flow.states[:, None]
        else:
            found = flow.along(np.concatenate([[span.clock], times]))
            if not flow.done:
                self._onward(flow, span, orbits, found)
            if not at_end:
                self._until(flow, span, orbits, np.full(len(orbits), span.end))
        last = orbits[-1] - orbits[0] + 1  # beyond it are copies
        self.out[orbits[:last], span.rows] = (found if self.units is None else found * self.units[orbits, None])[:last]

    def _onward(self, flow: Lanes, span: Span, orbits: np.ndarray, found: np.ndarray) -> None:
        """Go on after a turn, from one output to the next."""
        self._check(flow, span, orbits)
        place = (~np.isnan(found[:, :, 0])).sum(axis=1)
        while (left := place < len(span.times)).any():
            self._until(flow, span, orbits, span.times[np.minimum(place, len(span.times) - 1)])
            found[left, place[left]] = flow.states[left]
            place[left] += 1

    def _until(self, flow: Lanes, span: Span, orbits: np.ndarray, times: np.ndarray) -> None:
        flow.until(times)
        while not flow.done:
            self._check(flow, span, orbits)
            flow.until(times)

    def _check(self, flow: Lanes, span: Span, orbits: np.ndarray) -> None:
        """Raise IntegrationError if an orbit was lost, does not move, or needs too many steps."""
        elapsed = span.begin + (flow.times - span.clock)
        stopped = [lane for lane in flow.unfinished if not abs(flow.last_steps[lane]) > SMALLEST * abs(elapsed[lane])]
        for lane in (*flow.lost, *stopped):
            for orbit in orbits[:lane].tolist():  # which may be lost later in time
                self._follow(orbit, 1)
            raise lost(self.z0, int(orbits[lane]), self.t[0] + elapsed[lane], "the Taylor series of its field is not finite")
        for lane in flow.unfinished:
            left = self.duration - abs(elapsed[lane])
            if (expected := flow.steps[lane] + left / abs(flow.last_steps[lane])) > MOST:
                raise IntegrationError(
                    f"orbit {orbits[lane]} needs about {expected:.0e} steps from t = {self.t[0] + elapsed[lane]:g} to "
                    f"{self.t[-1]:g}, and engine='taylor' takes {MOST:.0e} at most; ask for a shorter time"
                )


def _units(size: np.ndarray) -> np.ndarray | None:
    """Return units of the coordinates of each orbit, or None if they are close enough to 1 and to each other."""
    scale = np.maximum(size.max(axis=1, keepdims=True), 1.0)
    return power_of_two(size) if ((size > 0) & (size < scale / SPREAD)).any() else None


def _spans(t: np.ndarray, period: float | None, *, driven: bool) -> list[Span]:
    """Return the parts of the time: one, unless the field has a period.

    The field's time then starts anew after some periods, so that its phase keeps all digits.
    """
    since = t - t[0]
    if not driven:
        return [Span(0.0, 0.0, slice(1, None), since[1:], since[-1])]
    if period is None:
        return [Span(0.0, t[0], slice(1, None), t[1:], t[-1])]
    length = PERIODS_AT_ONCE * period
    begins = np.arange(ceil(abs(since[-1]) / length)) * np.copysign(length, since[-1])
    ends = np.append(begins[1:], since[-1])
    rows = np.searchsorted(abs(since), abs(np.append(begins, since[-1])), side="right")
    spans = []
    for begin, end, low, high in zip(begins, ends, rows[:-1], rows[1:], strict=True):
        clock = float((Fraction(t[0]) + Fraction(begin)) % Fraction(period))
        spans.append(Span(begin, clock, slice(low, high), clock + (since[low:high] - begin), clock + (end - begin)))
    return spans
