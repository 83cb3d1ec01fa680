"""Checks that a computation fits in memory and ends in reasonable time, made before it starts."""

from __future__ import annotations

import math
import os
from pathlib import Path

from systems.errors import InputError

BYTES = 8  # per number in float64
MOST_STEPS = 1e10  # twelve days at 100 microseconds per step
MOST_COMPILED = 1e12  # twelve days at 1 microsecond per step


def available_memory() -> float:
    """Return the memory that this process can still allocate, in bytes, or infinity if it is unknown."""
    known = [math.inf]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        known += [1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError, IndexError):
        pass
    try:  # a container may have a lower limit
        group = Path("/sys/fs/cgroup")
        known.append(float((group / "memory.max").read_text()) - float((group / "memory.current").read_text()))
    except (OSError, ValueError):  # "max" means no limit
        pass
    if len(known) == 1 and hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        known.append(float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE"))
    return min(known)


def check_memory(numbers: float, what: str) -> None:
    """Raise InputError if an array of float64 numbers does not fit in memory.

    Parameters
    ----------
    numbers
        A lower bound on how many numbers the computation holds at once, including known intermediate results.
    what
        What the numbers are, as a plural noun for the message.

    Examples
    --------
    >>> check_memory(1e3, "a thousand states")
    >>> check_memory(1e18, "10^18 states")
    Traceback (most recent call last):
        ...
    systems.errors.InputError: 10^18 states need about 8e+09 GB of memory, more than this machine has free; ask for fewer
    """
    try:
        needed = BYTES * float(numbers)
    except OverflowError:  # an integer beyond all floating-point numbers
        needed = math.inf
    if not needed <= 2**20 and not needed < available_memory():
        raise InputError(f"{what} need about {needed / 1e9:.3g} GB of memory, more than this machine has free; ask for fewer")


def check_steps(steps: float, what: str, most: float = MOST_STEPS) -> None:
    """Raise InputError if the number of steps is too large to finish in reasonable time, infinite or NaN."""
    if not steps <= most:
        raise InputError(f"{what} would take about {steps:.3g} steps, more than {most:.0e}; make it shorter or dt larger")
