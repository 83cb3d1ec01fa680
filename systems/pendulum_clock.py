"""The pendulum clock: its equations, and orbits followed from event to event.

No step of the solver crosses a discontinuity of the escapement's push.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, pi, radians, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import outside_inference
from systems.deprecation import old_names, renamed
from systems.errors import InputError, IntegrationError
from systems.orbit import Orbit
from systems.own_times import at_own_times
from systems.parametrized import origin_of
from systems.reference.engine import Engine, check_engine
from systems.reference.solvers import SMALLEST_RTOL, Solver
from systems.registry import register
from systems.sampling import annulus
from systems.states import check_states, check_times, numbers
from systems.system import Symmetry, System

if TYPE_CHECKING:
    from scipy.integrate import OdeSolution

EVENT_SOLVERS = ("DOP853", "RK45", "Radau", "BDF", "LSODA")
_REST = 1e-150  # below it, squares underflow, and the solver cannot estimate its error
_State = tuple[float, float]

_FILMS = ("Defects", "Film", "Report", "Tracking", "Truth", "from_markers", "render", "render_clock", "still", "track")
__getattr__ = old_names(__name__, {name: f"systems.film.{name}" for name in _FILMS})
__path__ = [str(Path(__file__).parent / "moved" / "pendulum_clock")]  # the submodules of version 0.1 forward, too


@register("pendulum-clock")
@dataclass(frozen=True)
class PendulumClock(System):
    r"""Pendulum clock with a dead-beat escapement, which pushes the pendulum near the middle of each swing.

    .. math:: \ddot\theta + \frac{\omega_0}{Q} \dot\theta + \omega_0^2 \sin\theta
        = \omega_0^2 \kappa \, \mathrm{sign}(\dot\theta) \quad\text{while } |\theta| < \gamma \text{ and the latch is set}

    The state is ``z = (theta, omega)``, with the angle theta in radians and its velocity omega in radians per unit of time.

    The latch is set when the pendulum swings out past ``|theta| = gamma``. It is released when the pendulum turns before
    that, so a swing that did not reach gamma gets no push on its way back. Rest is therefore stable. Beyond it, the swing
    at whose amplitude the pushes make up for the damping is stable as well. The latch is not part of the state:
    `vector_field` takes it as set, whereas `orbit` keeps track of it. `orbit` refuses states that turn over.

    Parameters
    ----------
    gamma : float, default radians(1.2)
        Half width of the interval of angles in which the escapement pushes [rad].
    Q : float, default 200
        Quality factor.
    kappa : float, default 1.62e-3
        Angle at which the push would hold the pendulum at rest [rad], that is, the torque divided by m g l.
    frequency : float, default 1
        Angular frequency of small free swings, which last 2 pi / frequency. The default measures time in the pendulum's own
        unit; ``2 * pi / 2.027`` makes a clock of period 2.027 s with time in seconds.

    Raises
    ------
    InputError
        If gamma, Q or frequency is not positive, or kappa is negative.

    Notes
    -----
    Use it for a limit cycle that is nearly conservative, and to simulate recordings and films of a clock.
    """

    gamma: float = radians(1.2)
    Q: float = 200.0
    kappa: float = 1.62e-3
    frequency: float = 1.0
    coordinates: ClassVar = ("theta", "omega")
    periods: ClassVar = {"theta": 2 * pi}
    autonomous: ClassVar[bool] = True  # its period is that of the limit cycle, not of a drive
    canonical: ClassVar[bool] = True  # for a pendulum with a moment of inertia of one
    symmetries: ClassVar[tuple[Symmetry, ...]] = (lambda z: -z,)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.parameters.items():
            if not (value > 0 or (name == "kappa" and value == 0)):
                wanted = "zero or positive" if name == "kappa" else "positive"
                raise InputError(f"{name} of a pendulum clock must be {wanted}, not {value}")

    @property
    def amplitude(self) -> float:
        """Amplitude of the limit cycle for small swings, sqrt(4 gamma kappa Q / pi) [rad].

        A clock whose amplitude is below gamma stops. The work of the pushes in one cycle, 4 gamma kappa, makes up for the
        damping loss, pi A^2 / Q. Deviations from the amplitude decay by 2 pi / Q per period.
        """
        return sqrt(4 * self.gamma * self.kappa * self.Q / pi)

    @property
    def period(self) -> float:
        """Period of the limit cycle for small swings, 2 pi / frequency * (1 + A^2 / 16), which the pushes do not change."""
        return 2 * pi / self.frequency * (1 + self.amplitude**2 / 16)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
        """Return (omega, acceleration) with the latch set, which is exact wherever the previous swing passed gamma.

        Parameters
        ----------
        t : scalar
            Time, which has no influence.
        z : shape ``(..., 2)``
            States.

        Returns
        -------
        shape ``(..., 2)``
            Rates of change of the states.
        """
        theta, omega = z.unbind(-1)
        off = torch.remainder(theta + pi, 2 * pi) - pi  # measured from the middle, after any number of turns
        return self._rate(z, self.kappa * omega.sign() * (off.abs() < self.gamma))

    def divergence(self, z: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch"]:
        """Return the rate at which phase-space area grows, -frequency / Q, which holds wherever the push does not switch.

        Parameters
        ----------
        z : shape ``(..., 2)``
            States.

        Returns
        -------
        shape ``(...,)``
            Divergence of the vector field.
        """
        return torch.full_like(z[..., 0], -self.frequency / self.Q)

    @renamed(solver="method")
    @outside_inference
    @at_own_times
    def orbit(
        self,
        z0: Float[Tensor, "*batch 2"],
        t: Float[Tensor, " T"],
        *,
        method: Solver | None = None,
        rtol: float | None = None,
        atol: float | None = None,
        engine: Engine = "auto",
        latched: bool = True,
    ) -> Orbit:
        """Return the orbits from z0 at t[0], in float64, followed from event to event on the CPU.

        Parameters
        ----------
        z0 : shape ``(..., 2)``
            Initial states.
        t : shape ``(T,)``
            Times, which must increase.
        method : str, optional
            Method of ``scipy.integrate.solve_ivp``, by default "DOP853"; ``EVENT_SOLVERS`` lists those that find events.
        rtol, atol : float, optional
            Tolerances of that method, by default 1e-12 each.
        engine : {"auto", "torch"}, default "auto"
            The same for both, as the events of a clock are not compiled.
        latched : bool, default True
            Whether the latch is set at the start of orbits that start in motion between -gamma and gamma. An orbit that starts
            there at a turning point always has it released, and one that starts outside always has it set.

        Returns
        -------
        Orbit
            States ``(..., T, 2)``. Its ``rate`` is the one that acted at each time, with the latch as it was.

        Raises
        ------
        InputError
            If a state has the wrong dimension, is not finite or turns over, if the solver finds no events, or if the times do
            not increase: the latch remembers the previous swing, so an orbit cannot be followed back in time.
        IntegrationError
            If the solver fails.
        """
        z0 = numbers(z0, "states")
        t = numbers(t, "times").to(z0.device)
        check_times(t)
        check_states(z0, self.coordinates)
        check_engine(engine, "it does not follow the events of a clock")
        if len(t) > 1 and t[0] > t[-1]:
            raise InputError("times must increase: the latch of a pendulum clock cannot be followed back in time")
        self._check_swings(z0)
        method = method or "DOP853"
        rtol, atol = (1e-12 if tolerance is None else tolerance for tolerance in (rtol, atol))
        if method not in EVENT_SOLVERS:
            raise InputError(f"a clock is followed by {', '.join(EVENT_SOLVERS)}, which find events, not by {method!r}")
        elapsed = (t - t[0]).cpu().numpy() * self.frequency
        unit = z0.new_tensor([1.0, self.frequency])
        z, impulse = np.empty((z0[..., 0].numel(), len(t), 2)), np.empty((z0[..., 0].numel(), len(t)))
        for i, start in enumerate((z0 / unit).reshape(-1, 2).tolist()):
            z[i], impulse[i] = _follow(self, start, elapsed, latched, method, max(rtol, SMALLEST_RTOL), atol)
        states = torch.from_numpy(z).reshape(*z0.shape[:-1], len(t), 2).to(z0.device) * unit
        return Orbit(
            t=t,
            z=states,
            rate=self._rate(states, torch.from_numpy(impulse).reshape(states.shape[:-1]).to(z0.device)),
            coordinates=self.coordinates,
            provenance={
                **origin_of(self),
                "solver": {"name": method, "rtol": rtol, "atol": atol},
                "latched": latched,
            },
            periods=self.periods,
        )

    def sample(self, n: int, *, seed: int = 0, amplitude: tuple[float, float] | None = None) -> Float[Tensor, "n 2"]:
        """Draw states uniformly from an annulus around the limit cycle.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.
        amplitude : (float, float), optional
            Inner and outer radius of the annulus [rad], with omega / frequency taken as an angle. By default the annulus
            extends from halfway between gamma and the amplitude of the limit cycle to as far beyond that amplitude.

        Returns
        -------
        shape ``(n, 2)``
            States.

        Raises
        ------
        InputError
            If the clock stops and no amplitude is given, or the radii are not in order.
        """
        if amplitude is None:
            if self.amplitude <= self.gamma:
                raise InputError(
                    f"this pendulum clock stops, since its amplitude {self.amplitude:.4g} is below gamma={self.gamma:.4g}; "
                    "choose a larger kappa or Q, or give amplitude=(low, high)"
                )
            width = (self.amplitude - self.gamma) / 2
            amplitude = self.amplitude - width, self.amplitude + width
        theta, omega = annulus(n, *amplitude, seed).unbind(-1)
        return torch.stack([theta, self.frequency * omega], dim=-1)

    def _check_swings(self, z: Float[Tensor, "*batch 2"]) -> None:
        theta, omega = z.reshape(-1, 2).unbind(-1)
        over = (theta.abs() >= pi) | ((omega / self.frequency).square() / 2 >= 1 + theta.cos())
        if over.any():
            first = [round(x, 6) for x in z.reshape(-1, 2)[over][0].tolist()]
            raise InputError(
                f"z0 = {first} is no swing of a pendulum clock: it turns over; "
                f"take |theta| < pi and |omega| < {2 * self.frequency:.4g} |cos(theta / 2)|"
            )

    def _rate(self, z: Float[Tensor, "*batch 2"], impulse: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch 2"]:
        theta, omega = z.unbind(-1)
        acceleration = self.frequency**2 * (impulse - theta.sin()) - self.frequency / self.Q * omega
        return torch.stack([omega, acceleration], dim=-1)


def _follow(
    clock: PendulumClock, z0: Sequence[float], t: np.ndarray, latched: bool, solver: str, rtol: float, atol: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return states ``(T, 2)`` at the times t since the start, and the push ``(T,)`` that acted then: -kappa, 0 or kappa.

    Times are in the clock's own unit, 1 / frequency, so that tolerances mean the same for every clock.

    The orbit is followed piece by piece. Each piece lies between two turning points, and on one side of -gamma and of gamma.
    The ends of the pieces do not depend on t, at which states are only read off, so a state does not depend on the other
    times that are asked for.

    Raises IntegrationError, naming the orbit and the time, if the solver fails.
    """
    z, push = np.empty((len(t), 2)), np.zeros(len(t))
    state, start, done = (z0[0], z0[1]), 0.0, 0
    while done < len(t):
        theta, omega = state
        side = float(np.sign(omega) or -np.sign(np.sin(theta)))  # the side to which it moves, or falls from a turning point
        position = side * theta  # increases along the piece
        inside = -clock.gamma <= position < clock.gamma
        latched = not inside or (latched and omega != 0)  # at a turning point inside, the swing did not pass gamma
        force = side * clock.kappa if inside and latched else 0.0
        if side == 0 or (force == 0 and max(abs(theta), abs(omega)) < _REST):
            z[done:] = state
            break
        goal = clock.gamma if inside else inf if position > 0 else -clock.gamma
        try:
            piece, duration, end = _piece(clock, state, force, side, goal, solver, rtol, atol)
        except IntegrationError as error:
            raise IntegrationError(
                f"the orbit from z0 = {[z0[0], z0[1] * clock.frequency]} cannot be followed beyond "
                f"t = {start / clock.frequency:g}: {error}"
            ) from error
        until = int(np.searchsorted(t, start + duration, side="right"))
        if until > done:
            z[done:until], push[done:until] = piece(t[done:until] - start).T, force
        state, start, done = end, start + duration, until
    return z, push


def _piece(
    clock: PendulumClock, state: _State, push: float, side: float, goal: float, solver: str, rtol: float, atol: float
) -> tuple[OdeSolution, float, _State]:
    """Follow the motion to the given side until it turns, reaches the angle ``side * goal``, or a period has passed.

    Returns the states as a function of time from 0, the duration, and the last state.
    """
    from scipy.integrate import solve_ivp  # SciPy is loaded when the first clock is followed
    from scipy.optimize import brentq

    def field(t: float, y: np.ndarray) -> _State:
        return y[1], push - np.sin(y[0]) - y[1] / clock.Q

    def turns(t: float, y: np.ndarray) -> float:
        return side * y[1]

    def arrives(t: float, y: np.ndarray) -> float:
        return side * y[0] - goal

    turns.terminal = arrives.terminal = True  # type: ignore[attr-defined]
    turns.direction, arrives.direction = -1, 1  # type: ignore[attr-defined]
    longest = 1.0  # step, well below half a swing, so that none spans two turning points
    how = {"method": solver, "rtol": rtol, "atol": atol, "max_step": longest}
    with np.errstate(all="ignore"):
        result = solve_ivp(field, (0.0, 2 * pi), state, events=[turns, arrives], dense_output=True, **how)
    if not (result.success and np.isfinite(result.y).all()):
        raise IntegrationError(result.message)
    duration, end = float(result.t[-1]), result.y[:, -1].tolist()
    if arrives(duration, end) > 0:  # it turned just beyond the goal, within one step
        duration = brentq(lambda t: arrives(t, result.sol(t)), 0.0, duration, xtol=1e-15)
        return result.sol, duration, (side * goal, float(result.sol(duration)[1]))
    if len(result.t_events[1]):
        return result.sol, duration, (side * goal, end[1])
    return result.sol, duration, (end[0], 0.0 if len(result.t_events[0]) else end[1])
