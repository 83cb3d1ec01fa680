"""Workers: where units of work run. Their results do not depend on it."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import resource_tracker
from numbers import Integral
from threading import RLock
from typing import Any, TypeVar

from joblib import Parallel, delayed  # type: ignore[import-untyped]
from joblib.externals.loky.backend import resource_tracker as loky_tracker  # type: ignore[import-untyped]
from joblib.externals.loky.process_executor import TerminatedWorkerError  # type: ignore[import-untyped]
from tqdm import tqdm

from systems import InputError
from systems.extras import require

T = TypeVar("T")
DEATHS = 3  # consecutive ones without a finished unit, after which the units themselves are blamed


class WorkersLostError(RuntimeError):
    """Worker processes died repeatedly before they finished a unit, or the connection to the scheduler was lost."""


@dataclass(frozen=True)
class Workers:
    """Where units of work run: in this process, in several processes, or on the workers of a Dask scheduler.

    On a scheduler, units and results travel over the network, and only this process writes files. If the process or machine of
    a unit dies, the unit runs again elsewhere.

    Parameters
    ----------
    count : int, default 1
        Number of processes. With 1, units run one after another in this process.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://host:8786"``. Requires the extra
        ``physlearn-orbits[distributed]``.
    timeout : float, default 10
        Time limit for connecting to the scheduler, in seconds.

    Raises
    ------
    InputError
        If ``count`` is not a positive whole number, or if both a count above 1 and a scheduler are given.

    Examples
    --------
    >>> sorted(Workers().each(pow, [(2, 3), (3, 2)]))
    [(0, 8), (1, 9)]
    """

    count: int = 1
    scheduler: str | None = None
    timeout: float = 10.0

    def __post_init__(self) -> None:
        if not isinstance(self.count, Integral) or self.count < 1:
            raise InputError(f"workers must be a whole number of at least 1, not {self.count!r}")
        if self.scheduler is not None and self.count > 1:
            raise InputError(f"choose either {self.count} local processes or the scheduler {self.scheduler}, not both")

    @property
    def alone(self) -> bool:
        """Whether units run in this process."""
        return self.scheduler is None and self.count == 1

    def each(self, function: Callable[..., T], arguments: Iterable[Sequence[Any]]) -> Generator[tuple[int, T], None, None]:
        """Run a function on each unit, and yield the results as they arrive.

        Parameters
        ----------
        function : callable
            Called as ``function(*unit)`` for each unit.
        arguments : iterable of sequences
            The units: the positional arguments of each call.

        Yields
        ------
        tuple of int and object
            The index of a unit and its result. With several workers, units finish in any order.

        Raises
        ------
        WorkersLostError
            If worker processes die repeatedly, for example because memory is short, or if the connection to the scheduler is
            lost.
        InputError
            If Dask is not installed, or no scheduler answers at the address.
        Exception
            Whatever a unit raises.
        """
        units = list(arguments)
        if self.scheduler is not None:
            yield from _on_cluster(self.scheduler, self.timeout, function, units)
        elif min(self.count, len(units)) > 1:
            yield from _in_processes(self.count, function, units)
        else:
            for number, unit in enumerate(units):
                yield number, function(*unit)


def _in_processes(
    count: int, function: Callable[..., T], units: Sequence[Sequence[Any]]
) -> Generator[tuple[int, T], None, None]:
    left, deaths = set(range(len(units))), 0
    while left:
        parallel = Parallel(
            n_jobs=min(count, len(left)),
            backend="loky",
            return_as="generator_unordered",
            batch_size=1,
            initializer=_begin,
            initargs=(tuple(sorted(name for name in sys.modules if name.startswith(("physlearn.", "systems.")))),),
        )
        try:
            with _ctrl_c_later():  # the processes are started here
                results = parallel(delayed(_numbered)(n, function, units[n]) for n in sorted(left))
            # closed at once: a generator that is collected later ends the processes of the next run, which joblib reuses
            with closing(results):
                for number, result in results:
                    left.remove(number)
                    deaths = 0
                    yield number, result
        except TerminatedWorkerError as error:
            deaths += 1
            if deaths == DEATHS:
                raise WorkersLostError(
                    f"worker processes died {DEATHS} times in a row with {len(left)} units left; "
                    f"they may need more memory ({error})"
                ) from error


@contextmanager
def _ctrl_c_later() -> Iterator[None]:
    """Hold Ctrl-C back inside the block; processes that start in it never receive it, because this process ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    for tracker in (resource_tracker, loky_tracker):
        tracker.ensure_running()  # to start it later would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(modules: Sequence[str]) -> None:
    """Prepare a worker process."""
    tqdm.set_lock(RLock())  # its usual one, for several processes, would be left behind when this process is ended
    for name in modules:  # joblib takes a process for leaking that imports hundreds of megabytes later
        with suppress(ImportError):
            import_module(name)


def _on_cluster(
    scheduler: str, timeout: float, function: Callable[..., T], units: Sequence[Sequence[Any]]
) -> Generator[tuple[int, T], None, None]:
    require("distributed", "distributed", "running units on a cluster")
    from distributed import CancelledError, Client, as_completed
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    left = len(units)
    with _quiet("distributed.client", "distributed.core", "distributed.comm.core"):
        try:
            client = Client(scheduler, timeout=timeout)
        except (OSError, ValueError) as error:
            raise InputError(
                f"there is no scheduler at {scheduler}: check its address, and that it is running ({error})"
            ) from error
        with client:
            futures = [client.submit(_numbered, number, function, unit, pure=False) for number, unit in enumerate(units)]
            for future in as_completed(futures):
                try:
                    result = future.result()
                except (CancelledError, CommClosedError) as error:
                    raise WorkersLostError(
                        f"the scheduler at {scheduler} was lost with {left} units left: restart it, then run the command again"
                    ) from error
                except KilledWorker as error:
                    raise WorkersLostError(
                        f"one of the {left} units left killed every worker that ran it; it may need more memory ({error})"
                    ) from error
                left -= 1
                yield result
                future.release()


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Silence these loggers inside the block, because what they log is also raised as an error."""
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
