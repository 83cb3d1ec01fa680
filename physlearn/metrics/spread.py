"""The spread of each coordinate along an orbit, which serves as the unit of its errors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from systems import Orbit
from systems.periodic import shortest

# Variations below this part of the largest value are rounding; it is the tolerance of the reference solvers.
RESOLVED = 1e-12
ULPS = 8  # the same limit in machine epsilons, for dtypes with a lower resolution
PEAK = 10  # standard deviations that noise does not reach
GAP = 10  # a step that is longer than this many times the shorter neighbouring step is a gap without measurements


def spreads(orbit: Orbit, periods: Mapping[str, float] | None = None) -> Float[Tensor, "*batch D"]:
    r"""Return the standard deviation of each coordinate over time, in float64; 0 if it is constant to rounding.

    .. math:: s_i^2 = \min_c \, \langle (z_i \ominus c)^2 \rangle_t

    The difference :math:`\ominus` of two angles is the shortest one, and :math:`c` is their mean on the circle. An angle with
    a small libration has its usual standard deviation, and an angle that rotates evenly through the period P has
    :math:`P / \sqrt{12}`, independent of the number of turns.

    Parameters
    ----------
    orbit
        Orbits with finite states.
    periods
        Periods of the coordinates that are angles, by name; defaults to those of the orbit.
    """
    periods = orbit.periods if periods is None else periods
    z = orbit.z.double()
    weights = time_weights(orbit.common_times).to(z)[:, None]
    moved = z - z[..., :1, :]  # exactly zero for a constant, without a loss of digits to an offset
    mean = (weights * moved).sum(-2, keepdim=True)
    for name in periods:
        i = orbit.index(name)
        mean[..., i] = circular_mean(moved[..., i], weights[:, 0], periods[name])
    deviation = shortest(moved - mean, periods, orbit.coordinates)
    largest = deviation.abs().amax(-2, keepdim=True)
    unit = largest.where(largest > 0, 1.0)  # so that squares neither overflow nor vanish
    spread = unit[..., 0, :] * (weights * (deviation / unit).square()).sum(-2).sqrt()
    return spread.masked_fill(spread <= resolution(orbit), 0.0)


def resolution(orbit: Orbit) -> Float[Tensor, "*batch D"]:
    """Return the difference between two values of each coordinate that rounding may cause."""
    share = max(RESOLVED, ULPS * torch.finfo(orbit.z.dtype).eps)
    return share * orbit.z.double().abs().amax(-2)


def relative(
    difference: Float[Tensor, "*batch T D"], size: Float[Tensor, "*batch D"], rounding: Float[Tensor, "*batch D"]
) -> Float[Tensor, "*batch T D"]:
    """Return differences in units of a size.

    If the size is 0, differences within rounding become 0 and all others become infinite. NaN becomes infinite too.
    """
    sized = difference / size.where(size > 0, 1.0)[..., None, :]
    missed = torch.where(difference.abs() <= PEAK * rounding[..., None, :], 0.0, torch.inf)
    return torch.where(size[..., None, :] > 0, sized, missed).nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)


def time_weights(t: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """Return the fraction of the time that each sample represents: half of the neighbouring steps, not counting gaps.

    The fractions sum to 1 and are in float64. They are all equal if the steps are equal.
    """
    t = t.detach().cpu().double()
    steps = t.diff().abs()
    if len(t) < 3 or float(steps.max() - steps.min()) <= 1e-3 * float(steps.max()):
        return torch.full_like(t, 1 / len(t))
    shorter = torch.minimum(torch.cat([steps[1:2], steps[:-1]]), torch.cat([steps[1:], steps[-2:-1]]))
    steps = torch.where(steps > GAP * shorter, torch.nan, steps)
    before, after = torch.cat([steps[:1], steps]), torch.cat([steps, steps[-1:]])
    sides = torch.stack([before, after])
    weights = sides.nanmean(0).nan_to_num(nan=float(steps.nanmedian()))  # a sample between two gaps represents one step
    return weights / weights.sum()


def circular_mean(angle: Float[Tensor, "*batch T"], weights: Float[Tensor, " T"], period: float) -> Float[Tensor, "*batch 1"]:
    """Return the angle from which the mean square of the shortest differences is smallest.

    It is the ordinary mean after the circle is cut at the right place, which is one of the T gaps between the sorted angles.
    """
    ordered, order = angle.remainder(period).sort(-1)
    weights = weights.expand_as(ordered).gather(-1, order)
    passed = weights.cumsum(-1) - weights  # weight of the angles below the cut, which move up by one period
    square = weights * (2 * period * ordered + period**2)
    mean = (weights * ordered).sum(-1, keepdim=True) + period * passed
    variance = (weights * ordered.square()).sum(-1, keepdim=True) + square.cumsum(-1) - square - mean.square()
    return mean.gather(-1, variance.argmin(-1, keepdim=True))
