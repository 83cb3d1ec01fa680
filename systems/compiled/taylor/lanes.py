"""One interface to heyoka's integrators of one orbit and of several orbits side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from systems.compiled.loops import Array
from systems.compiled.taylor.series import heyoka


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
    states : ndarray, shape ``(D, count)``
        The present states, which may be changed in place.
    """

    def __init__(self, integrator: Any, count: int, longest: float, most: int) -> None:
        self._one, self._many, self._count = integrator, count > 1, count
        self.states: Array = integrator.state if self._many else integrator.state[:, None]  # views
        self._options = {"max_steps": most, "max_delta_t": longest}
        self._outcome = heyoka().taylor_outcome
        self._results: list[Any] = []
        self._targets = np.empty(0)

    def begin(self, time: float) -> None:
        """Set the time of all orbits."""
        if self._many:
            self._one.set_time(time)
        else:
            self._one.time = time

    @property
    def times(self) -> Array:
        """The time that each orbit has reached."""
        return np.array(self._one.time, dtype=float, ndmin=1)

    @property
    def last_steps(self) -> Array:
        """The last step of each orbit."""
        return np.array(self._one.last_h, dtype=float, ndmin=1)

    @property
    def steps(self) -> Array:
        """The number of steps of each orbit in the last call."""
        return np.array([result[3] for result in self._results])

    def until(self, times: Array) -> bool:
        """Move each orbit towards a time of its own, and return whether all have reached it."""
        self._targets = times
        if self._many:
            self._one.propagate_until(times, **self._options)
            self._results = self._one.propagate_res
        else:
            self._results = [self._one.propagate_until(times[0], **self._options)]
        return self._done()

    def along(self, times: Array, out: Array) -> bool:
        """Move all orbits along times, of which the first is the present, and return whether all have reached the last.

        Parameters
        ----------
        times : shape ``(T + 1,)``
            The times.
        out : shape ``(T, D, count)``
            Receives the states at all times but the first; NaN at times that an orbit has not reached.
        """
        self._targets = np.full(self._count, times[-1])
        new = np.append(True, times[1:] != times[:-1])  # rounding may have made times equal
        grid, present = times[new], self.states.copy()
        if len(grid) == 1:
            out[:] = present
            return True
        if self._many:
            found = self._one.propagate_grid(np.repeat(grid[:, None], self._count, axis=1), **self._options)[-1]
            self._results = self._one.propagate_res
        else:
            self._results = [self._one.propagate_grid(grid, **self._options)]
            reached = self._results[0][-1]
            found = np.full((len(grid), *present.shape), np.nan)
            found[: len(reached), :, 0] = reached
        found[0] = present
        out[:] = found[1:] if new.all() else found[(np.cumsum(new) - 1)[1:]]
        return self._done()

    def _done(self) -> bool:
        return all(result[0] == self._outcome.time_limit for result in self._results)

    @property
    def lost(self) -> list[int]:
        """The orbits whose states were not finite after the last step."""
        return [lane for lane, result in enumerate(self._results) if result[0] == self._outcome.err_nf_state]

    @property
    def unfinished(self) -> list[int]:
        """The orbits that took as many steps as a call takes, and have not reached their time."""
        short = self.times != self._targets  # others have waited for them
        return [lane for lane, result in enumerate(self._results) if result[0] == self._outcome.step_limit and short[lane]]
