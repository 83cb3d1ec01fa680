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
    first, allowed = math.nan, math.inf
    for how, prepare, share in contenders:
        row = {**told, "how": how, "device": "cpu", "memory": math.nan}
        try:
            call = prepare(distance, allowed)
        except MissingExtraError:
            yield {**row, "throughput": math.nan, "ratio": math.nan, "error": math.nan}
            continue
        found = call()  # compiles what has not been compiled yet
        error = distance(found) if share == 1 else math.nan
        throughput = work * share / _clocked(call)
        if math.isnan(first):
            first, allowed = throughput, error
        yield {**row, "throughput": throughput, "ratio": throughput / first, "error": error}


def _clocked(call: Call) -> float:
    """Return the median time of some calls in seconds, in which the processor does not work for other processes."""
    taken: list[float] = []
    while sum(taken) < ENOUGH and len(taken) < MOST:
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return median(taken)


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
