"""A thread that answers one request at a time, outside the event loop, and skips all waiting requests but the newest."""

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
    """A thread that answers the newest request by ``job(request, wanted)``.

    Parameters
    ----------
    job : callable
        Called with each request, and with a function that returns whether there is still no newer request. It may then raise
        Abandoned.
    delay : float, default 0
        How long a request waits for a newer one before it is answered, in seconds.
    """

    def __init__(self, job: Callable[[Request, Wanted], None], *, delay: float = 0.0) -> None:
        self._job = job
        self._delay = delay
        self._request: list[Request] = []  # the newest request, unless it has been taken
        self._number = 0  # number of requests so far
        self._open = True
        self._changed = Condition()
        Thread(target=self._run, daemon=True).start()

    def ask(self, request: Request) -> None:
        """Answer this request instead of any earlier one that is still waiting or in progress."""
        with self._changed:
            self._request = [request]
            self._number += 1
            self._changed.notify()

    def forget(self) -> None:
        """Discard the request that is waiting or in progress."""
        with self._changed:
            self._request = []
            self._number += 1
            self._changed.notify()

    def close(self) -> None:
        """End the thread."""
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
                except Exception:  # concerns one request only; the next may succeed
                    logging.getLogger(__name__).exception("a request from the explorer page failed")

    def _next(self) -> tuple[int, list[Request]]:
        """Wait for a request, then until none has come for the delay. Return its number, and the request unless discarded."""
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
