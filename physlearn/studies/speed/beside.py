"""Comparison of physlearn with other packages, in one process and on one core."""

from __future__ import annotations

import math
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch

from systems.extras import MissingExtraError

OURS = "physlearn"
PEERS = ("diffrax", "gala", "heyoka", "jax", "pynamicalsys")  # the packages of the extra ``bench``
ENOUGH, MOST = 0.3, 1000  # total time of the timed calls in seconds, and their number at most
TOLERANCES = (1e-10, 1e-11, 1e-12, 1e-13, 1e-14, 1e-15)  # among which adaptive peers are set to an equal error

Row = dict[str, Any]
Call = Callable[[], np.ndarray]
Distance = Callable[[np.ndarray], float]


class Contender(NamedTuple):
    """A package that does the work of a case.

    ``prepare`` imports the package, compiles what it needs, and returns the call that is timed, whose result is an array. It
    takes a function that gives the error of a result, and the largest error that is allowed. ``share`` is the part of the
    work that the call does.
    """

    how: str
    prepare: Callable[[Distance, float], Call]
    share: float = 1.0


def simple(call: Call) -> Callable[[Distance, float], Call]:
    """Return a ``prepare`` for a call that needs no preparation."""
    return lambda distance, error: call


def by_tolerance(solve: Callable[[float], Call]) -> Callable[[Distance, float], Call]:
    """Return a ``prepare`` that finds the largest tolerance with an error that is small enough.

    If no tolerance reaches the error, it takes the most accurate one. ``solve`` returns the call for a tolerance.
    """

    def prepare(distance: Distance, error: float) -> Call:
        found = []
        for tolerance in TOLERANCES:
            call = solve(tolerance)
            found.append((distance(call()), call))
            if found[-1][0] <= error:
                return call
        return min(found, key=lambda one: one[0])[1]

    return prepare


def compared(contenders: Sequence[Contender], distance: Distance, work: float, **told: Any) -> Iterator[Row]:
    """Yield one row per contender: labels, throughput, ratio to the first contender, and error.

    A contender that does only a part of the work has no error. One whose package is not installed has no numbers at all.

    Parameters
    ----------
    contenders
        The contenders; the first one is physlearn.
    distance
        The error of a result.
    work
        The size of the work, such as the number of steps.
    told
        Labels of the rows.
    """
    allowed = math.inf
    calls: list[Call | None] = []
    errors: list[float] = []
    for _, prepare, share in contenders:
        try:
            call = prepare(distance, allowed)
        except MissingExtraError:
            calls.append(None)
            errors.append(math.nan)
            continue
        found = call()  # compiles what has not been compiled yet
        errors.append(distance(found) if share == 1 else math.nan)
        calls.append(call)
        allowed = errors[0]
    first = math.nan
    for (how, _, share), seconds, error in zip(contenders, _clocked(calls), errors, strict=True):
        throughput = work * share / seconds
        first = throughput if math.isnan(first) else first
        row = {**told, "how": how, "device": "cpu", "memory": math.nan}
        yield {**row, "throughput": throughput, "ratio": throughput / first, "error": error}


def _clocked(calls: Sequence[Call | None]) -> list[float]:
    """Return the median times of some calls in seconds, without the time that the processor works for others; NaN for None.

    The calls take turns, so that other work on the machine slows all of them.
    """
    taken: list[list[float]] = [[] for _ in calls]
    left = [place for place, call in enumerate(calls) if call is not None]
    while left:
        for place in left:
            call = calls[place]
            assert call is not None
            start = time.process_time()
            call()
            taken[place].append(time.process_time() - start)
        left = [place for place in left if sum(taken[place]) < ENOUGH and len(taken[place]) < MOST]
    return [median(own) if own else math.nan for own in taken]


def on_one_core(rows: Callable[[bool], Iterator[Row]], quick: bool) -> Iterator[Row]:
    """Yield the rows that a function of this package measures in a process of its own, which has one core and one thread."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield from pool.submit(_pinned, rows, quick).result()


def _pinned(rows: Callable[[bool], Iterator[Row]], quick: bool) -> list[Row]:
    if hasattr(os, "sched_setaffinity"):  # Linux
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    return list(rows(quick))


def versions() -> dict[str, str]:
    """Return the versions of the packages that are installed."""
    found = {}
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
