"""How many steps to take from each time asked for to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite, pi
from numbers import Integral, Real
from statistics import median
from typing import Any

from jaxtyping import Float
from torch import Tensor, cat, finfo

from physlearn.flow import Flow
from systems import InputError, Orbit
from systems.reference.time_scale import fastest_rate, known_jacobian

RESOLVED = 0.5  # of the fastest time scale of a flow, the inverse of its fastest rate: a grid that is no coarser is kept
UNRESOLVED = 1.0  # of that time scale: a step that is longer follows nothing
CHOSEN = 0.1  # of that time scale: the steps that are taken where a grid is coarser
FINER = 16  # a gap in a fine grid is crossed by steps like its others, unless those are finer than this beside CHOSEN
NEARLY = 1.5  # steps of the training grid that one step may be long, as recorded times are not quite equal
MOST_STEPS = 10**8


@dataclass(frozen=True)
class Steps:
    """The steps from each time to the next: ``counts``; ``chosen_by`` tells what decided: the caller, or a default."""

    gaps: tuple[float, ...]
    counts: tuple[int, ...]
    chosen_by: str

    @property
    def by_default(self) -> bool:
        """Whether the caller left the choice."""
        return self.chosen_by not in ("dt", "substeps")

    @property
    def longest(self) -> float:
        """The longest step."""
        return max((gap / n for gap, n in zip(self.gaps, self.counts, strict=True)), default=0.0)

    def no_longer_than(self, dt: float) -> Steps:
        """The same steps, those that are longer than dt replaced by more of them."""
        counts = (max(n, _checked(gap / dt)) for gap, n in zip(self.gaps, self.counts, strict=True))
        return _limited(replace(self, counts=tuple(counts)))

    def describe(self) -> dict[str, Any]:
        """As JSON-ready values for an orbit's provenance."""
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
    """Return the steps that the caller fixed, or else the default ones.

    Parameters
    ----------
    flow, z0, t
        What is integrated, from where, to which times (in float64).
    precision
        Machine epsilon of the times as they were given: equal steps of float32 are not quite equal.
    substeps
        Number of steps from each time to the next.
    dt
        Longest step.
    damping
        Whether the steps must resolve the decay of damped motion, too.
    resolved
        Steps of the grid, in time scales of the flow, up to which they are kept.

    Returns
    -------
    Steps
        By default one step per time where the grid is no coarser than the grid that the flow was trained on, or than half
        of the fastest time scale of a flow that was not; else steps as long as those of the training grid, or a tenth of the
        time scale.

    Raises
    ------
    InputError
        For a step that is not a positive number, for both ``substeps`` and ``dt``, or for more steps than 1e8.
    """
    gaps = tuple(t.diff().abs().tolist())
    if substeps is not None and dt is not None:
        raise InputError("give substeps or dt, not both")
    if substeps is not None:
        if not isinstance(substeps, Integral) or isinstance(substeps, bool) or substeps < 1:
            raise InputError(f"substeps must be at least 1, and a whole number, not {substeps}")
        return _limited(Steps(gaps, (int(substeps),) * len(gaps), "substeps"))
    rounding = 2 * precision * float(t.abs().max())
    if dt is not None:
        if not isinstance(dt, Real) or isinstance(dt, bool) or not (dt > 0 and isfinite(dt)):
            raise InputError(f"dt, the longest step, must be a positive number, not {dt}")
        return _counted(gaps, lambda gap: (gap - rounding) / float(dt), "dt")
    if flow.step is not None:
        step = flow.step
        return _counted(gaps, lambda gap: 1 if gap <= NEARLY * step else (gap - rounding) / step, "training grid")
    fastest = _fastest(flow, z0, t, damping)
    if not fastest > 0 or not gaps:
        return Steps(gaps, (1,) * len(gaps), "flow")
    longest = min(CHOSEN / fastest, max(median(gaps), CHOSEN / fastest / FINER))
    return _counted(gaps, lambda gap: 1 if gap * fastest <= resolved else gap / longest, "flow")


def _fastest(flow: Flow, z0: Tensor, t: Tensor, damping: bool) -> float:
    if z0.numel() == 0:
        return 0.0
    now = t[0] if flow.period is None else t[0] % flow.period
    rates = fastest_rate(known_jacobian(lambda z: flow.field(now, z), z0), damping)
    drive = 0.0 if flow.period is None else 2 * pi / flow.period
    return max(float(rates.max()), drive)


def _counted(gaps: tuple[float, ...], count: Callable[[float], float], chosen_by: str) -> Steps:
    return _limited(Steps(gaps, tuple(_checked(count(gap)) for gap in gaps), chosen_by))


def _checked(count: float) -> int:
    """At least one step; a count that rounding puts just above a whole number is that number."""
    return max(1, ceil(min(count, 10.0 * MOST_STEPS) * (1 - 1e-12)))


def _limited(steps: Steps) -> Steps:
    if (total := sum(steps.counts)) > MOST_STEPS:
        raise InputError(
            f"from t[0] to t[-1], a time of {sum(steps.gaps):.3g}, steps of {steps.longest:.3g} are {total:.2g} in number, "
            f"and at most {MOST_STEPS:.0e} are taken; give a larger dt, or a shorter time"
        )
    return steps


def fitting(t: Float[Tensor, " T"], step: float | None = None) -> float | None:
    """Return the longest step with which times that are nearly a step apart, by default the median one, are one step apart.

    None for a single time, to which there is no step.
    """
    gaps = t.diff().abs()
    if not len(gaps):
        return None
    step = step or float(gaps.median())
    return max([step, *gaps[gaps <= NEARLY * step].tolist()])


def precision_of(t: Tensor) -> float:
    """Machine epsilon of the times as they were given."""
    return float(finfo(t.dtype).eps) if t.is_floating_point() else 0.0


def typical_step(orbits: Orbit | Sequence[Orbit]) -> float | None:
    """Return the median time step of orbits, None for single times.

    >>> import torch
    >>> typical_step(Orbit(torch.tensor([0.0, 0.5, 1.0, 9.0]), torch.zeros(4, 2)))
    0.5
    """
    many = [orbits] if isinstance(orbits, Orbit) else orbits
    steps = cat([orbit.t.detach().cpu().double().diff().abs() for orbit in many])
    return float(steps.median()) if len(steps) else None


def checked_step(given: Any) -> float | None:
    """The step that a file tells. Raises InputError unless it is a positive number, or none."""
    if given is None or (isinstance(given, float | int) and not isinstance(given, bool) and given > 0 and isfinite(given)):
        return given
    raise InputError(f"the step of the training orbits must be a positive number, not {given!r}")
