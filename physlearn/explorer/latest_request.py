"""Newest: one job at a time, off the event loop; of what is asked for meanwhile only the newest is done."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from threading import Condition, Thread
from typing import Generic, TypeVar

from physlearn.explorer.interruptible import Abandoned

Request = TypeVar("Request")
Wanted = Callable[[], bool]


class Newest(Generic[Request]):
    """A thread that answers requests by ``job(request, wanted)``.

    wanted: tells the job whether there is no newer request yet; a job may raise Abandoned then. delay: how long [s] a request
    waits for a newer one before it is answered. ``close`` ends the thread.
    """

    def __init__(self, job: Callable[[Request, Wanted], None], *, delay: float = 0.0) -> None:
        self._job = job
        self._delay = delay
        self._request: list[Request] = []  # the newest, if it is not answered yet
        self._number = 0  # of requests so far
        self._open = True
        self._changed = Condition()
        Thread(target=self._run, daemon=True).start()

    def ask(self, request: Request) -> None:
        """Have this answered, instead of whatever was asked for before and is not answered yet."""
        with self._changed:
            self._request = [request]
            self._number += 1
            self._changed.notify()

    def forget(self) -> None:
        """What was asked for is no longer wanted."""
        with self._changed:
            self._request = []
            self._number += 1
            self._changed.notify()

    def close(self) -> None:
        """Answer no more."""
        with self._changed:
            self._open = False
            self._number += 1
            self._changed.notify()

    def _run(self) -> None:
        while self._open:
            number, requests = self._next()
            for request in requests:
                try:
                    self._job(request, partial(self._is_newest, number))
                except Abandoned:
                    continue
                except Exception:  # of one request; the next may do better
                    logging.getLogger(__name__).exception("a request of the explorer's page failed")

    def _next(self) -> tuple[int, list[Request]]:
        """Wait for a request, and on until none has come for the delay; gives its number, and it, unless it was forgotten."""
        with self._changed:
            self._changed.wait_for(lambda: self._request or not self._open)
            while self._open:
                number = self._number
                if not self._changed.wait(self._delay) and self._is_newest(number):
                    break
            requests, self._request = self._request, []
            return self._number, requests if self._open else []

    def _is_newest(self, number: int) -> bool:
        return self._number == number
