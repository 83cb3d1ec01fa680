"""Choose the number of steps between output times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, pi
from numbers import Integral, Real
from statistics import median
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor, cat, finfo

from physlearn.flow import Flow
from systems import InputError, Orbit
from systems.reference.time_scale import fastest_rate

# The first three are in units of the flow's fastest time scale, the inverse of its fastest rate.
RESOLVED = 0.5  # output times that are no coarser than this are used as steps
UNRESOLVED = 1.0  # longer steps do not follow the motion at all
CHOSEN = 0.1  # steps that are taken if the output times are coarser
FINER = 16  # a gap in a fine grid is divided into steps like the others, but not finer than CHOSEN by more than this factor
NEARLY = 1.5  # longest single step in units of the training grid's step, as recorded times are not exactly equally spaced
MOST_STEPS = 10**8


@dataclass(frozen=True)
class Steps:
    """The number of steps in each gap between output times; ``chosen_by`` names the argument or default that set it."""

    gaps: tuple[float, ...]
    counts: tuple[int, ...]
    chosen_by: str

    @property
    def by_default(self) -> bool:
        """Whether the steps were chosen by default, not by the caller."""
        return self.chosen_by not in ("dt", "substeps")

    @property
    def longest(self) -> float:
        """The length of the longest step."""
        return max((gap / n for gap, n in zip(self.gaps, self.counts, strict=True)), default=0.0)

    def no_longer_than(self, dt: float) -> Steps:
        """Return the same steps, with those longer than dt divided further."""
        counts = np.maximum(self.counts, _checked(np.array(self.gaps) / dt))
        return _limited(replace(self, counts=tuple(counts.tolist())))

    def describe(self) -> dict[str, Any]:
        """Return the steps as JSON-ready values for an orbit's provenance."""
        return {"substeps": max(self.counts, default=1), "dt": self.longest, "dt_from": self.chosen_by}


def choose(
    flow: Flow,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    precision: float,
    *,
    substeps: int | None = None,
    dt: float | None = None,
    damping: bool = True,
    resolved: float = RESOLVED,
) -> Steps:
    """Return the steps that the caller chose, or the default steps.

    Parameters
    ----------
    flow, z0, t
        The flow, its initial states, and the output times (in float64).
    precision
        Machine epsilon of the times as given; equal steps in float32 are not exactly equal.
    substeps
        Number of steps between output times.
    dt
        Longest step.
    damping
        Whether the steps must also resolve the decay of damped motion.
    resolved
        Largest spacing of the output times, in time scales of the flow, that is used as a step.

    Returns
    -------
    Steps
        By default, one step per output time if the times are no coarser than the grid that the flow was trained on, or, for
        other flows, than half of the fastest time scale. Otherwise, steps as long as those of the training grid, or a tenth
        of the time scale.

    Raises
    ------
    InputError
        If a step is not a positive number, if both ``substeps`` and ``dt`` are given, or for more than 1e8 steps.
    """
    gaps = tuple(t.diff().abs().tolist())
    if substeps is not None and dt is not None:
        raise InputError("give substeps or dt, not both")
    if substeps is not None:
        if not isinstance(substeps, Integral) or isinstance(substeps, bool) or substeps < 1:
            raise InputError(f"substeps must be at least 1 and a whole number, not {substeps}")
        return _limited(Steps(gaps, (int(substeps),) * len(gaps), "substeps"))
    rounding = 2 * precision * float(t.abs().max())
    if dt is not None:
        if not isinstance(dt, Real) or isinstance(dt, bool) or not (dt > 0 and isfinite(dt)):
            raise InputError(f"dt, the longest step, must be a positive number, not {dt}")
        return _counted(gaps, lambda gap: (gap - rounding) / float(dt), "dt")
    if flow.step is not None:
        step = flow.step
        return _counted(gaps, lambda gap: np.where(gap <= NEARLY * step, 1, (gap - rounding) / step), "training grid")
    fastest = _fastest(flow, z0, t, damping)
    if not fastest > 0 or not gaps:
        return Steps(gaps, (1,) * len(gaps), "flow")
    longest = min(CHOSEN / fastest, max(median(gaps), CHOSEN / fastest / FINER))
    return _counted(gaps, lambda gap: np.where(gap * fastest <= resolved, 1, gap / longest), "flow")


def _fastest(flow: Flow, z0: Tensor, t: Tensor, damping: bool) -> float:
    if z0.numel() == 0:
        return 0.0
    now = t[0] if flow.period is None else t[0] % flow.period
    rates = fastest_rate(flow.jacobian(now, z0), damping)
    drive = 0.0 if flow.period is None else 2 * pi / flow.period
    return max(float(rates.max()), drive)


def _counted(gaps: tuple[float, ...], count: Callable[[np.ndarray], np.ndarray], chosen_by: str) -> Steps:
    return _limited(Steps(gaps, tuple(_checked(count(np.array(gaps))).tolist()), chosen_by))


def _checked(count: np.ndarray) -> np.ndarray:
    """Round counts up to whole numbers of at least 1, ignoring an excess that is due to rounding."""
    return np.maximum(1, np.ceil(np.minimum(count, 10.0 * MOST_STEPS) * (1 - 1e-12))).astype(np.int64)


def _limited(steps: Steps) -> Steps:
    if (total := sum(steps.counts)) > MOST_STEPS:
        raise InputError(
            f"steps of {steps.longest:.3g} over a time of {sum(steps.gaps):.3g} are {total:.2g} steps, more than the limit of "
            f"{MOST_STEPS:.0e}; use a larger dt or a shorter time"
        )
    return steps


def fitting(t: Float[Tensor, " T"], step: float | None = None) -> float | None:
    """Return the longest gap that counts as a single step: one that is about as long as ``step``.

    ``step`` defaults to the median gap. The result is None for a single time.
    """
    gaps = t.diff().abs()
    if not len(gaps):
        return None
    step = step or float(gaps.median())
    return max([step, *gaps[gaps <= NEARLY * step].tolist()])


def precision_of(t: Tensor) -> float:
    """Return the machine epsilon of the times as given; 0 for integers."""
    return float(finfo(t.dtype).eps) if t.is_floating_point() else 0.0


def typical_step(orbits: Orbit | Sequence[Orbit]) -> float | None:
    """Return the median time step of orbits, or None if they have single times only.

    >>> import torch
    >>> typical_step(Orbit(torch.tensor([0.0, 0.5, 1.0, 9.0]), torch.zeros(4, 2)))
    0.5
    """
    many = [orbits] if isinstance(orbits, Orbit) else orbits
    steps = cat([orbit.t.detach().cpu().double().diff().abs().flatten() for orbit in many])
    return float(steps.median()) if len(steps) else None


def checked_step(given: object) -> float | None:
    """Return the step stored in a file; raise InputError unless it is a positive number or None."""
    if given is None or (isinstance(given, float | int) and not isinstance(given, bool) and given > 0 and isfinite(given)):
        return given
    raise InputError(f"the step of the training orbits must be a positive number, not {given!r}")
