"""High-accuracy orbits by a compiled adaptive solver."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, pi

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.compiled.blocks import spread
from systems.compiled.field import ParametrizedField
from systems.compiled.function import LANES
from systems.compiled.scales import scales
from systems.compiled.threads import allowed
from systems.errors import IntegrationError
from systems.reference.jumps import jump, sliding, too_slow

FIRST_STEP = 0.05  # relative to the fastest time scale; the solver then adapts
FIRST_TURN = 500  # steps after which work that is left goes to several threads
WORTH_LANES = 6  # orbits; one after the other, fewer are faster than side by side
MOST_STEPS = 100_000_000  # of an orbit that slides along a jump of its field, which take half a minute
STEPS_OF_A_TURN = 2_000_000  # so that the user can interrupt within a second

Scales = tuple[np.ndarray, np.ndarray]


def solve(
    field: ParametrizedField,
    z0: Float[Tensor, "n D"],
    t: Float[Tensor, " T"],
    rtol: float,
    atol: float,
    period: float | None = None,
    known: Scales | None = None,
    most: int | None = None,
) -> Float[Tensor, "n T D"]:
    """Solve dz/dt = field(t, z) with z = z0 at t[0] by DOP853, and return the states at the times t.

    The error of each step of each orbit is at most ``rtol |z_i| + atol s_i`` in the root mean square over its coordinates,
    where s_i is the size of the coordinate along the orbit so far. Sums are compensated, so that the rounding errors of steps
    do not add up.

    Parameters
    ----------
    field : ParametrizedField
        The field.
    z0 : shape ``(n, D)``
        States at ``t[0]``.
    t : shape ``(T,)``
        Times, increasing or decreasing.
    rtol, atol : float
        Tolerances of a step.
    period : float, optional
        Period of the field in time.
    known : (array, array), optional
        Sizes of the coordinates, shape ``(n, D)``, and first steps, shape ``(n,)``, with the sign of the direction in time. By
        default, both are estimated from the Jacobian of the field.
    most : int, optional
        Number of steps after which an orbit is given up. By default, there is no limit.

    Returns
    -------
    Tensor, shape ``(n, T, D)``
        States at the times, in float64.

    Raises
    ------
    IntegrationError
        If an orbit diverges and cannot be continued, or needs too many steps.
    """
    if len(t) == 1:
        return z0.detach().double().unsqueeze(1)
    run = _Run(field, z0.detach().double().cpu().numpy(), t.detach().double().cpu().numpy(), rtol, atol, period, known, most)
    return torch.from_numpy(run.states()).to(z0.device)


class _Run:
    def __init__(
        self,
        field: ParametrizedField,
        z0: np.ndarray,
        t: np.ndarray,
        rtol: float,
        atol: float,
        period: float | None,
        known: Scales | None,
        most: int | None,
    ) -> None:
        self.field, self.z0, self.t, self.period, self.known, self.most = field, z0, t, period, known, most
        self.tolerances = (rtol, atol)
        self.clock = float(t[0]) if period is None else float(t[0]) % period
        self.times = t - t[0]
        self.status = np.zeros(len(z0), dtype=np.int64)
        self.elapsed = np.zeros((len(z0), 2))

    def states(self) -> np.ndarray:
        from systems.compiled import dop853  # compiled when it is first needed

        z0, n = self.z0, len(self.z0)
        rate = self.field(self.clock, z0)
        if not np.isfinite(rate).all():
            raise lost(self.z0, int(np.argmin(np.isfinite(rate).all(1))), self.t[0])
        size, first = self.known or self._scales(rate)
        out = np.empty((n, len(self.times), z0.shape[1]))
        out[:, 0] = z0
        arrays = [z0.copy(), np.zeros_like(z0), rate, size, self.elapsed, first, np.ones(n, dtype=np.int64), self.status, out]
        function = self.field.field.function
        numbers = function.arguments(self.field.parameters)
        given = (self.clock, self.times, *self.tolerances)
        side_by_side = n >= WORTH_LANES and not self.field.field.driven and function.wide > 0
        if side_by_side:
            from systems.compiled.dop853_lanes import follow_lanes  # compiled when it is first needed

        def follow(most: int, orbits: slice) -> None:
            mine = (most, *(array[orbits] for array in arrays))
            if side_by_side:
                follow_lanes(function.wide, numbers, *given, *mine)
            else:
                dop853.follow(function.address, numbers, self.period or 0.0, *given, *mine)

        steps = FIRST_TURN if self.most is None else self.most
        follow(steps, slice(None))
        if self.most is not None and (self.status <= dop853.RUNNING).any():
            orbit = int(np.argmax(self.status <= dop853.RUNNING))
            raise lost(self.z0, orbit, self.t[0] + self.elapsed[orbit, 0], f"needs more than {self.most} steps")
        before = np.zeros(n)
        while (self.status <= dop853.RUNNING).any():
            if steps >= FIRST_TURN:
                self._check_progress(arrays[0], first, steps, before)
                before, steps = self.elapsed[:, 0].copy(), 0
            steps += _in_threads(follow, n, LANES if side_by_side else 1)
        if (ended := self.status == dop853.LOST).any():
            orbit = int(np.argmax(ended))
            raise lost(self.z0, orbit, self.t[0] + self.elapsed[orbit, 0])
        return out

    def _check_progress(self, y: np.ndarray, following: np.ndarray, steps: int, before: np.ndarray) -> None:
        """Raise IntegrationError if an orbit has hardly moved in so many steps, because it slides along a jump."""
        for orbit in np.flatnonzero(self.status <= 0):
            now = self.elapsed[orbit, 0]
            gain = abs(now - before[orbit]) / steps
            if too_slow(gain, abs(self.times[-1] - now), MOST_STEPS):
                rates = lambda time, z: self.field(self.clock + time, z[None])[0]  # noqa: E731
                if jump(rates, now, y[orbit], following[orbit]) is not None:
                    raise sliding(int(orbit), self.z0[orbit].tolist(), self.t[0] + now, gain)

    def _scales(self, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sizes of the coordinates, and the first steps."""
        size, fastest = scales(self.field, self.clock, self.z0, rate)
        fastest = np.maximum(fastest, 0.0 if self.period is None else 2 * pi / self.period)
        duration = abs(self.times[-1])
        with np.errstate(divide="ignore"):
            step = np.where(fastest > 0, FIRST_STEP / fastest, FIRST_STEP * duration)
        return size, np.minimum(step, duration) * np.sign(self.times[-1])


def lost(z0: np.ndarray, orbit: int, time: float, reason: str = "its field is not finite") -> IntegrationError:
    """Return the error for an orbit that cannot be continued beyond a time, which is NaN if it is not known."""
    where, until = [round(x, 6) for x in z0[orbit].tolist()], f"beyond t = {time:g}" if isfinite(time) else "to the end"
    return IntegrationError(f"orbit {orbit} from z0 = {where} cannot be followed {until}: it grows without bound or {reason}")


def _in_threads(work: Callable[[int, slice], None], n: int, together: int) -> int:
    """Do a turn of the work on n orbits, in as many threads as torch uses, and return its number of steps.

    Each part of it has some orbits together.
    """
    most_parts = -(-n // together)
    threads = min(allowed(), most_parts)
    most = max(1, STEPS_OF_A_TURN * threads // n)
    if threads == 1:
        work(most, slice(None))
        return most
    ends = np.linspace(0, n, min(most_parts, 8 * threads) + 1).astype(int).tolist()
    spread(lambda k: work(most, slice(ends[k], ends[k + 1])), len(ends) - 1, threads)
    return most
