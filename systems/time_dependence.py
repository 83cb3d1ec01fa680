"""Whether a field depends on time, whatever is declared, and how exactly it does so at large times."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from math import inf

import torch
from torch import Tensor

from systems.errors import AccuracyWarning, outside

# parts of the time at which fields are compared: multiples of the golden ratio, so that no gap, in which a push might
# hide, is larger than a seventh, and no period divides them
PROBES = tuple(k * 0.61803398875 % 1 for k in range(12))
STATES = 64  # at most as many are compared
NOTICEABLE = 1e-9  # relative error of a field because times are rounded


def among(first: float, last: float) -> list[float]:
    """Return some of the times from the first to the last."""
    return [first + part * (last - first) for part in PROBES]


def depends_on_time(field: Callable[[Tensor, Tensor], Tensor], z: Tensor, times: Iterable[float]) -> bool:
    """Return whether a field differs between some times, at the first of some states, in any bit.

    Parameters
    ----------
    field : callable
        Field ``f(t, z)``.
    z : shape ``(n, D)``
        States.
    times : iterable of float
        The times that are compared.

    Returns
    -------
    bool
        Whether it differs.
    """
    some = z[:STATES]
    with torch.no_grad():
        first, *others = (field(z.new_tensor(t), some).nan_to_num() for t in times)
    return not all(torch.equal(first, other) for other in others)


def error_of_times(field: Callable[[Tensor, Tensor], Tensor], z: Tensor, times: Iterable[float]) -> float:
    """Return by how much the rounding of large times changes a field, relative to the field.

    No step of a solver can have a smaller error.

    Parameters
    ----------
    field, z, times
        As in `depends_on_time`; the times are in float64.

    Returns
    -------
    float
        Largest change from a time to the next larger number, relative to the largest rate of the same coordinate; 0 if no
        rate is known.

    Warns
    -----
    AccuracyWarning
        If it is larger than 1e-9.
    """
    some = z[:STATES].double()
    now = torch.tensor(list(times), dtype=torch.float64, device=z.device)
    then = torch.nextafter(now, torch.full_like(now, inf))
    with torch.no_grad():
        here, there = (torch.stack([field(t, some) for t in at]) for at in (now, then))
    largest = here.abs().amax((0, 1))
    change = (there - here).abs().amax((0, 1)) / largest
    known = torch.isfinite(change) & (largest > 0)
    worst = float(change[known].max()) if known.any() else 0.0
    if worst > NOTICEABLE:
        rounding = f"times near {float(now.abs().max()):.6g} are rounded to {float((then - now).max()):.1g}"
        warnings.warn(
            f"{rounding}, which changes the field by {worst:.1g} of itself, so that the steps have errors of this size: "
            "declare the period of the system, or count the time from the start of the orbit",
            AccuracyWarning,
            stacklevel=outside(),
        )
    return worst
