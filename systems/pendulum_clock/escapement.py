"""A dead-beat escapement, followed event by event: no step of the solver crosses a discontinuity of the push."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, pi
from typing import TYPE_CHECKING

import numpy as np
from scipy.integrate import OdeSolution, solve_ivp
from scipy.optimize import brentq

from systems.errors import IntegrationError

if TYPE_CHECKING:
    from systems.pendulum_clock.clock import PendulumClock

State = tuple[float, float]
REST = 1e-150  # of what still moves the square underflows, and with it the solver's estimate of its error


def follow(
    clock: PendulumClock, z0: Sequence[float], t: np.ndarray, latched: bool, solver: str, rtol: float, atol: float
) -> tuple[np.ndarray, np.ndarray]:
    """States ``(T, 2)`` at the times t since the start, and the push ``(T,)`` that acted then: -kappa, 0 or kappa.

    Times are in the clock's own unit, 1 / frequency, so that tolerances mean the same for any clock.

    The orbit goes piece by piece, each between two turning points and on one side of -gamma and of gamma. Where the pieces
    end does not depend on t, which only reads the states off; so the states do not depend on what other times are asked for.

    Raises IntegrationError, naming the orbit and the time, where the solver fails.
    """
    z, push = np.empty((len(t), 2)), np.zeros(len(t))
    state, start, done = (z0[0], z0[1]), 0.0, 0
    while done < len(t):
        theta, omega = state
        side = float(np.sign(omega) or -np.sign(np.sin(theta)))  # to which it moves, or falls from a turning point
        position = side * theta  # rises along the piece
        inside = -clock.gamma <= position < clock.gamma
        latched = not inside or (latched and omega != 0)  # at a turning point inside: that swing did not pass gamma
        force = side * clock.kappa if inside and latched else 0.0
        if side == 0 or (force == 0 and max(abs(theta), abs(omega)) < REST):
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
    clock: PendulumClock, state: State, push: float, side: float, goal: float, solver: str, rtol: float, atol: float
) -> tuple[OdeSolution, float, State]:
    """The motion to the given side until it turns, or reaches the angle ``side * goal``, or a period is over.

    Returns the states as a function of time from 0, the duration, and the last state.
    """

    def field(t: float, y: np.ndarray) -> State:
        return y[1], push - np.sin(y[0]) - y[1] / clock.Q

    def turns(t: float, y: np.ndarray) -> float:
        return side * y[1]

    def arrives(t: float, y: np.ndarray) -> float:
        return side * y[0] - goal

    turns.terminal = arrives.terminal = True  # type: ignore[attr-defined]
    turns.direction, arrives.direction = -1, 1  # type: ignore[attr-defined]
    with np.errstate(all="ignore"):
        result = solve_ivp(
            field,
            (0.0, 2 * pi),
            state,
            method=solver,
            events=[turns, arrives],
            dense_output=True,
            rtol=rtol,
            atol=atol,
            max_step=1.0,  # well below half a swing, so that no step hides a turning point and the next
        )
    if not (result.success and np.isfinite(result.y).all()):
        raise IntegrationError(result.message)
    duration, end = float(result.t[-1]), result.y[:, -1].tolist()
    if arrives(duration, end) > 0:  # it turned just beyond, within one step
        duration = brentq(lambda t: arrives(t, result.sol(t)), 0.0, duration, xtol=1e-15)
        return result.sol, duration, (side * goal, float(result.sol(duration)[1]))
    if len(result.t_events[1]):
        return result.sol, duration, (side * goal, end[1])
    if len(result.t_events[0]):
        return result.sol, duration, (end[0], 0.0)
    return result.sol, duration, (end[0], end[1])
