"""One interface to heyoka's integrators of one orbit and of several orbits side by side."""

from __future__ import annotations

from typing import Any

import numpy as np


class Lanes:
    """An integrator of heyoka that moves one or several orbits, each with steps of its own.

    Parameters
    ----------
    integrator : heyoka.taylor_adaptive or heyoka.taylor_adaptive_batch
        The integrator; the latter for more than one orbit.
    count : int
        Number of orbits.
    longest : float
        Longest step.
    most : int
        Number of steps of an orbit after which a call returns.

    Attributes
    ----------
    steps : ndarray of int, shape ``(count,)``
        Number of steps of each orbit so far.
    """

    def __init__(self, integrator: Any, count: int, longest: float, most: int) -> None:
        self._one, self._many, self._count = integrator, count > 1, count
        self._options = {"max_steps": most, "max_delta_t": longest}
        self._results: list[str] = []
        self._targets = np.full(count, np.nan)
        self.steps = np.zeros(count, dtype=np.int64)

    def start(self, time: float, states: np.ndarray | None = None) -> None:
        """Set the time of all orbits, and their states, shape ``(count, D)``."""
        if self._many:
            self._one.set_time(time)
        else:
            self._one.time = time
        if states is not None:
            self._one.state[:] = states.T if self._many else states[0]

    @property
    def times(self) -> np.ndarray:
        """The time that each orbit has reached."""
        return np.array(self._one.time, dtype=float, ndmin=1)

    @property
    def states(self) -> np.ndarray:
        """The states, shape ``(count, D)``."""
        return self._one.state.T if self._many else self._one.state[None]

    @property
    def last_steps(self) -> np.ndarray:
        """The last step of each orbit."""
        return np.array(self._one.last_h, dtype=float, ndmin=1)

    def until(self, times: np.ndarray) -> None:
        """Move each orbit towards a time of its own."""
        self._targets = times
        if self._many:
            self._one.propagate_until(times, **self._options)
            self._record(self._one.propagate_res)
        else:
            self._record([self._one.propagate_until(times[0], **self._options)])

    def along(self, times: np.ndarray) -> np.ndarray:
        """Move all orbits along times, of which the first is the present, and return the states at the others.

        Returns
        -------
        ndarray, shape ``(count, T - 1, D)``
            The states; NaN at times that an orbit has not reached.
        """
        new = np.append(True, times[1:] != times[:-1])  # times that rounding has made equal
        grid, present = times[new], self.states.copy()
        self._targets = np.full(self._count, times[-1])
        if len(grid) == 1:
            self._results = []
            return np.repeat(present[:, None], len(times) - 1, axis=1)
        if self._many:
            found = self._one.propagate_grid(np.repeat(grid[:, None], self._count, axis=1), **self._options)[-1]
            self._record(self._one.propagate_res)
            found = found.transpose(2, 0, 1)
        else:
            result = self._one.propagate_grid(grid, **self._options)
            self._record([result])
            reached = result[-1]
            found = np.full((1, len(grid), present.shape[1]), np.nan)
            found[0, : len(reached)] = reached
        found[:, 0] = present
        return found[:, (np.cumsum(new) - 1)[1:]]

    def _record(self, results: list[Any]) -> None:
        self._results = [result[0].name for result in results]
        self.steps += [result[3] for result in results]

    @property
    def done(self) -> bool:
        """Whether the last call moved all orbits to its last time."""
        return all(name == "time_limit" for name in self._results)

    @property
    def lost(self) -> list[int]:
        """The orbits whose states were not finite after the last step."""
        return [lane for lane, name in enumerate(self._results) if name == "err_nf_state"]

    @property
    def unfinished(self) -> list[int]:
        """The orbits that took as many steps as a call takes. Those that wait for them are not among them."""
        waiting = self.times == self._targets
        return [lane for lane, name in enumerate(self._results) if name == "step_limit" and not waiting[lane]]
