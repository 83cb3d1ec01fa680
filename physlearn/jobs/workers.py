"""Workers: where units of work run; what comes of them does not depend on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Integral
from typing import Any, TypeVar

from joblib import Parallel, delayed  # type: ignore[import-untyped]
from joblib.externals.loky.process_executor import TerminatedWorkerError  # type: ignore[import-untyped]

from systems import InputError
from systems.extras import require

T = TypeVar("T")
DEATHS = 3  # of processes in a row, without a unit done, before it is the units that are to blame


class WorkersLostError(RuntimeError):
    """Processes died again and again before any unit was done, or the scheduler was lost."""


@dataclass(frozen=True)
class Workers:
    """Units run one after another in this process, or in ``count`` processes, or where a scheduler of dask has workers.

    scheduler: its address, ``"tcp://host:8786"``; needs the extra ``distributed`` (dask). Units go out, and their results
    come back, over the wire: this process alone writes files. A unit whose process or machine dies runs elsewhere. timeout: in
    seconds, to find the scheduler.

    Raises InputError for a count that is not positive, or for both a count and a scheduler.

    >>> sorted(Workers().each(pow, [(2, 3), (3, 2)]))
    [(0, 8), (1, 9)]
    """

    count: int = 1
    scheduler: str | None = None
    timeout: float = 10.0

    def __post_init__(self) -> None:
        if not isinstance(self.count, Integral) or self.count < 1:
            raise InputError(f"workers is a whole number of at least 1, not {self.count!r}")
        if self.scheduler is not None and self.count > 1:
            raise InputError("units run in processes of this machine, or where a scheduler sends them: give one of the two")

    @property
    def alone(self) -> bool:
        """Whether units run in this process."""
        return self.scheduler is None and self.count == 1

    def each(self, function: Callable[..., T], arguments: Iterable[Sequence[Any]]) -> Iterator[tuple[int, T]]:
        """The number of each unit and its result, ``function(*its arguments)``, as they come.

        Raises what a unit raises, and WorkersLostError where processes die again and again (out of memory, perhaps) or the
        scheduler is lost.
        """
        units = list(arguments)
        if self.scheduler is not None:
            yield from _on_cluster(self.scheduler, self.timeout, function, units)
        elif min(self.count, len(units)) > 1:
            yield from _in_processes(self.count, function, units)
        else:
            for number, unit in enumerate(units):
                yield number, function(*unit)


def _in_processes(count: int, function: Callable[..., T], units: Sequence[Sequence[Any]]) -> Iterator[tuple[int, T]]:
    left, deaths = set(range(len(units))), 0
    while left:
        parallel = Parallel(n_jobs=min(count, len(left)), backend="loky", return_as="generator_unordered", batch_size=1)
        try:
            for number, result in parallel(delayed(_numbered)(n, function, units[n]) for n in sorted(left)):
                left.remove(number)
                deaths = 0
                yield number, result
        except TerminatedWorkerError as error:
            deaths += 1
            if deaths == DEATHS:
                raise WorkersLostError(
                    f"processes died {DEATHS} times in a row with {len(left)} units left: {error}"
                ) from error


def _on_cluster(
    scheduler: str, timeout: float, function: Callable[..., T], units: Sequence[Sequence[Any]]
) -> Iterator[tuple[int, T]]:
    require("distributed", "distributed", "running units on a cluster")
    from distributed import CancelledError, Client, as_completed
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    left = len(units)
    with _quiet("distributed.client", "distributed.core", "distributed.comm.core"):
        try:
            client = Client(scheduler, timeout=timeout)
        except (OSError, ValueError) as error:
            raise InputError(f"there is no scheduler at {scheduler} ({error})") from error
        with client:
            futures = [client.submit(_numbered, number, function, unit, pure=False) for number, unit in enumerate(units)]
            for future in as_completed(futures):
                try:
                    result = future.result()
                except (CancelledError, CommClosedError) as error:
                    raise WorkersLostError(
                        f"the scheduler at {scheduler} was lost with {left} units left: start both, it and the command, again"
                    ) from error
                except KilledWorker as error:
                    raise WorkersLostError(
                        f"every worker that took one of the {left} units left died; it may need more memory ({error})"
                    ) from error
                left -= 1
                yield result
                future.release()


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Inside, these loggers keep to themselves what is raised as well, and told in one sentence."""
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _numbered(number: int, function: Callable[..., T], unit: Sequence[Any]) -> tuple[int, T]:
    return number, function(*unit)
