"""Jumps of a field: which steps cross them, and which orbits slide along them, as those with dry friction do at rest.

No step across a jump has a small error unless it is short. A solver therefore crosses an isolated jump with a few steps that
are as short as rounding allows. Where the field points towards its jump from both sides, the orbit crosses it again and again,
and all steps stay short.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import copysign, inf

import numpy as np
from jaxtyping import Float
from torch import Tensor

from systems.errors import IntegrationError

ACROSS, AT_ONCE = 2e-14, 1e-17  # length of a step across a jump, as shares of the time so far and of all time
STILL = 1e-6  # largest change in such a step, in units of the size of each coordinate; at a singularity, it is larger
STRETCHES = (1.0, 16.0, 256.0)  # lengths of the steps by which a jump is looked for, in those of the solver
STEPS = 16  # of each length
HALVINGS = 40  # of the step that holds the largest change; a smooth field then changes by 1e-12 of it
LEAST = 1e-6  # change of the field, relative to its size, that counts as a jump
KEPT = 0.25  # part of this change that halving must leave, as several coordinates may change
ADVICE = "smooth the jump, for example as tanh(v / width) in place of sign(v), or give larger tolerances, such as rtol=1e-4"
CALLS = 5_000  # of the field, after which progress is judged
MOST_CALLS = 5_000_000  # which take minutes

Rates = Callable[[float, np.ndarray], np.ndarray]


def sliding(orbit: int, z0: Sequence[float], time: float, step: float) -> IntegrationError:
    """Return the error for an orbit that slides along a jump of its field, with so short steps."""
    where = [round(x, 6) for x in z0]
    return IntegrationError(
        f"orbit {orbit} from z0 = {where} cannot be followed beyond t = {time:g}: its field jumps back and forth, so that "
        f"each step lasts only {step:.0e}; {ADVICE}"
    )


@dataclass
class Watch:
    """Judge from the calls of a field whether a solver makes progress, or slides along a jump of the field.

    Parameters
    ----------
    rates : callable
        Field of the solver's time, from 0 on, and the states of all orbits, shape ``(n D,)``.
    duration : float
        Time to integrate, negative backwards.
    z0 : shape ``(n, D)``
        Initial states of the orbits, for the message.
    first : int, default 0
        Number of the first orbit, for the message.
    begin, unit : float, default 0 and 1
        The user's time at the solver's time 0, and the solver's unit of time.
    """

    rates: Rates
    duration: float
    z0: Float[Tensor, "n D"]
    first: int = 0
    begin: float = 0.0
    unit: float = 1.0
    calls: int = 0
    last: float = 0.0

    def __call__(self, time: float, states: Callable[[], np.ndarray]) -> None:
        """Count a call at a time and with states, which are asked for only if needed. Raises IntegrationError at a jump."""
        self.calls += 1
        if self.calls % CALLS:
            return
        gain, self.last = max(abs(time) - self.last, AT_ONCE * abs(self.duration)) / CALLS, abs(time)
        if not too_slow(gain, abs(self.duration) - self.last, MOST_CALLS):
            return
        if (place := jump(self.rates, time, states(), copysign(gain, self.duration))) is not None:
            orbit = place // self.z0.shape[1]
            raise sliding(self.first + orbit, self.z0[orbit].tolist(), self.begin + self.unit * time, self.unit * gain)


def too_slow(gain: float, left: float, most: float) -> bool:
    """Return whether more steps than ``most`` are left if each gains so much time."""
    return (left / gain if gain > 0 else inf) > most


def jump(rates: Rates, time: float, y: np.ndarray, step: float) -> int | None:
    """Look for a jump of a field where an orbit goes next.

    Parameters
    ----------
    rates : callable
        Field of the time and a state, shape ``(D,)``.
    time : float
        Time.
    y : shape ``(D,)``
        State.
    step : float
        Length of the solver's steps.

    Returns
    -------
    int or None
        The coordinate whose rate jumps, or None if the field is smooth.
    """
    for stretch in STRETCHES:
        dt = step * stretch
        points = [(time, y, rates(time, y))]
        for _ in range(STEPS):
            t, z, f = points[-1]
            points.append((t + dt, z + dt * f, rates(t + dt, z + dt * f)))
        apart = [_change(a, b).max() for a, b in pairwise(points)]
        first = int(np.argmax(apart))
        size = max(float(np.abs(f).max()) for _, _, f in points)
        if np.isfinite(size) and apart[first] > LEAST * size:
            a, b = _halved(rates, points[first], points[first + 1])
            if (left := _change(a, b)).max() > KEPT * apart[first]:
                return int(np.argmax(left))
    return None


_Point = tuple[float, np.ndarray, np.ndarray]


def _change(a: _Point, b: _Point) -> np.ndarray:
    return np.abs(b[2] - a[2])


def _halved(rates: Rates, a: _Point, b: _Point) -> tuple[_Point, _Point]:
    """Halve a step again and again, and keep the half in which the field changes more."""
    for _ in range(HALVINGS):
        t, z = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
        middle = (t, z, rates(t, z))
        a, b = (a, middle) if _change(a, middle).max() >= _change(middle, b).max() else (middle, b)
    return a, b
