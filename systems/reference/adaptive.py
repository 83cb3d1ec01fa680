"""SciPy's adaptive solvers with tolerances relative to the size of each coordinate along its orbit."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.integrate import DOP853, RK45, solve_ivp
from torch import Tensor

from systems.errors import IntegrationError
from systems.reference.jumps import ACROSS, AT_ONCE, STILL, Watch
from systems.reference.time_scale import fastest_rate, known_jacobian, natural_size, power_of_two
from systems.reference.tolerances import SMALLEST_RTOL

FIRST_STEP = 0.05  # relative to the fastest time scale; the solver then adapts
LARGEST_ACCEPTED = np.nextafter(1.0, 0.0)  # error of a step in units of its tolerance
PERIODS_AT_ONCE = 64  # then time restarts at zero, because rounding of large times would disturb small steps of a drive


@dataclass(frozen=True)
class Group:
    """Orbits that are integrated together. ``first`` is the index of the first one in the whole batch."""

    field: Callable[[Tensor, Tensor], Tensor]
    z0: Float[Tensor, "n D"]
    t: Float[Tensor, " T"]
    solver: str
    rtol: float
    atol: float
    period: float | None
    first: int

    def states(self) -> Float[Tensor, "n T D"]:
        """Return the states at all times. Raises IntegrationError if an orbit cannot be continued."""
        start = float(self.t[0]) if self.period is None else float(self.t[0]) % self.period
        times = (self.t - self.t[0]).cpu().numpy()
        y = self.z0.double().cpu().numpy().reshape(-1)
        found = [y[:, None]]
        for begin, end in pairwise(self._ends(float(times[-1]))):
            among = times[(np.abs(times) > abs(begin)) & (np.abs(times) <= abs(end))] - begin
            clock = start + begin if self.period is None else (start + begin) % self.period
            piece, reached = self._piece(
                clock, float(self.t[0]) + begin, y, np.union1d(among, [end - begin])[:: 1 if end > begin else -1]
            )
            if reached is not None:
                return self._failed(times[np.abs(times) <= (abs(begin) + reached) * (1 + 1e-15)][-1])
            found.append(piece[:, : len(among)])
            y = piece[:, -1]
        states = torch.from_numpy(np.concatenate(found, 1).T.copy()).reshape(len(times), *self.z0.shape)
        return states.transpose(0, 1).to(self.z0.device)

    def _ends(self, duration: float) -> list[float]:
        """Return the end points of the intervals that are integrated one after another, from 0 to the duration."""
        if self.period is None:
            return [0.0, duration]
        length = PERIODS_AT_ONCE * self.period
        inner = np.sign(duration) * length * np.arange(1, np.ceil(abs(duration) / length))
        return [0.0, *inner.tolist(), duration]

    def _piece(self, clock: float, elapsed: float, y: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, float | None]:
        """Return the states at the times since ``clock``, or the last time that the integration reached.

        The piece begins at the time ``elapsed``, in the user's time.
        """
        z = torch.from_numpy(y.copy()).reshape(self.z0.shape).to(self.z0.device)
        now = z.new_tensor(clock)
        farthest = [0.0]  # from the start, with a finite field

        def rates(time: float, y: np.ndarray) -> np.ndarray:
            z = torch.from_numpy(y * unit).reshape(self.z0.shape).to(self.z0.device)
            return self.field(now + time, z).reshape(-1).cpu().numpy() / unit

        def rate(time: float, y: np.ndarray) -> np.ndarray:
            f = rates(time, y)
            watch(time, lambda: y)
            if np.isfinite(f).all():
                farthest[0] = max(farthest[0], abs(time))
            return f

        watch = Watch(rates, times[-1], self.z0, self.first, elapsed)
        f = self.field(now, z)
        unit = np.ones_like(y)
        if not torch.isfinite(f).all():
            return y[:, None], 0.0
        matrix = known_jacobian(lambda z: self.field(now, z), z)
        size = natural_size(z, f, matrix).cpu().numpy().reshape(-1)
        share = len(self.z0) ** -0.5
        options: dict[str, Any] = {"method": self.solver, "rtol": self.rtol * share, "atol": self.atol * share}
        if self.solver in BY_SIZE:
            options |= {"method": BY_SIZE[self.solver], "size": size, "at_once": AT_ONCE * abs(times[-1])}
        else:
            unit = power_of_two(size)
            options["rtol"] = max(options["rtol"], SMALLEST_RTOL)
        first = self._first_step(matrix, abs(times[-1]))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # LSODA warns where this raises IntegrationError
            try:
                result = solve_ivp(rate, (0.0, times[-1]), y / unit, t_eval=times, first_step=first, **options)
            except ValueError:  # from the linear algebra of the implicit solvers if the field is not finite
                return y[:, None], farthest[0]
        states = np.reshape(result.y, (len(y), -1))
        finite = np.isfinite(states).all(axis=0)
        if result.success and finite.all():
            return states * unit[:, None], None
        last = int(np.argmin(finite) if not finite.all() else states.shape[1]) - 1
        return y[:, None], abs(times[last]) if last >= 0 else 0.0

    def _first_step(self, matrix: Float[Tensor, "n D D"], duration: float) -> float:
        fastest = max(float(fastest_rate(matrix).max()), 0.0 if self.period is None else 2 * np.pi / self.period)
        return min(FIRST_STEP / fastest if fastest > 0 else FIRST_STEP * duration, duration)

    def _failed(self, reached: float) -> Float[Tensor, "n T D"]:
        if len(self.z0) > 1:  # find the orbit that failed, for the message
            alone = [replace(self, z0=z, first=self.first + i) for i, z in enumerate(self.z0.split(1))]
            return torch.cat([group.states() for group in alone])
        jumps = "" if self.solver in BY_SIZE else " or jumps"  # which the other solvers do not cross
        raise IntegrationError(
            f"orbit {self.first} from z0 = {[round(x, 6) for x in self.z0[0].tolist()]} cannot be followed "
            f"beyond t = {float(self.t[0]) + reached:g}: it grows without bound or its field is not finite{jumps}"
        )


class _BySize:
    """Bounds the error of a step by ``rtol |y_i| + atol s_i``, where s_i is the largest size of y_i up to and in this step.

    A step as short as rounding allows that does not move the orbit is accepted, because the field may jump within it.
    """

    def __init__(self, *args: Any, size: np.ndarray, at_once: float, rtol: float, atol: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self.wanted, self.size, self.at_once = (rtol, atol), size, at_once
        self.rtol, self.atol = 1.0, 0.0  # so that the solver passes the larger of |y| before and after the step as ``scale``

    def _estimate_error_norm(self, K: np.ndarray, h: float, scale: np.ndarray) -> float:
        rtol, atol = self.wanted
        size = np.maximum(np.maximum(self.size, scale), np.abs(h) * np.abs(K).max(axis=0))
        tolerance = rtol * scale + atol * size
        # a coordinate that is and stays zero has no error
        error = super()._estimate_error_norm(K, h, np.where(tolerance == 0, np.inf, tolerance))  # type: ignore[misc]
        if error >= 1.0 and abs(h) <= ACROSS * abs(self.t) + self.at_once:  # type: ignore[attr-defined]
            moved, reach = np.abs(h) * np.abs(K).max(axis=0), np.maximum(self.size, np.abs(self.y))  # type: ignore[attr-defined]
            if (moved <= STILL * np.where(reach > 0, reach, np.inf)).all():
                return LARGEST_ACCEPTED
        return error

    def _step_impl(self) -> tuple[bool, str | None]:
        done, message = super()._step_impl()  # type: ignore[misc]
        self.size = np.maximum(self.size, np.abs(self.y))  # type: ignore[attr-defined]
        return done, message


class _Dop853(_BySize, DOP853):
    pass


class _RungeKutta45(_BySize, RK45):
    pass


BY_SIZE = {"DOP853": _Dop853, "RK45": _RungeKutta45}
