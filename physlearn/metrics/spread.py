"""The unit of an orbit's errors: how far each coordinate spreads along it, whatever its origin, unit and period."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from systems import Orbit
from systems.periodic import shortest

RESOLVED = 1e-12  # of the largest value: the tolerance of the reference solvers; what varies by less is constant to rounding
ULPS = 8  # the same, in roundings, where a type resolves less
PEAK = 10  # standard deviations, which noise does not reach
GAP = 10  # times the shorter of the steps beside it: nothing was measured during a longer step


def spreads(orbit: Orbit, periods: Mapping[str, float] | None = None) -> Float[Tensor, "*batch D"]:
    r"""Return the standard deviation of each coordinate over time, in float64; 0 where it is constant to rounding.

    .. math:: s_i^2 = \min_c \, \langle (z_i \ominus c)^2 \rangle_t

    The difference :math:`\ominus` of an angle is the shortest one, so that :math:`c` is its mean on the circle: what
    librates a little has its usual standard deviation, and what rotates evenly through the period P has
    :math:`P / \sqrt{12}` however often it turns.

    Parameters
    ----------
    orbit
        Orbits of finite states.
    periods
        The periods of the coordinates that are angles, by name; by default those of the orbit.
    """
    periods = orbit.periods if periods is None else periods
    z = orbit.z.double()
    weights = time_weights(orbit.t).to(z)[:, None]
    moved = z - z[..., :1, :]  # what is constant moves by exactly nothing, and an offset costs no digits
    mean = (weights * moved).sum(-2, keepdim=True)
    for name in periods:
        i = orbit.index(name)
        mean[..., i] = circular_mean(moved[..., i], weights[:, 0], periods[name])
    deviation = shortest(moved - mean, periods, orbit.coordinates)
    largest = deviation.abs().amax(-2, keepdim=True)
    unit = largest.where(largest > 0, 1.0)  # squares neither overflow nor vanish in any unit
    spread = unit[..., 0, :] * (weights * (deviation / unit).square()).sum(-2).sqrt()
    return spread.masked_fill(spread <= resolution(orbit), 0.0)


def resolution(orbit: Orbit) -> Float[Tensor, "*batch D"]:
    """Return the difference between values of each coordinate that is rounding."""
    share = max(RESOLVED, ULPS * torch.finfo(orbit.z.dtype).eps)
    return share * orbit.z.double().abs().amax(-2)


def relative(
    difference: Float[Tensor, "*batch T D"], size: Float[Tensor, "*batch D"], rounding: Float[Tensor, "*batch D"]
) -> Float[Tensor, "*batch T D"]:
    """Return differences in units of a size; where that is 0, those within rounding are 0 and all others infinite.

    NaN becomes infinite too.
    """
    sized = difference / size.where(size > 0, 1.0)[..., None, :]
    missed = torch.where(difference.abs() <= PEAK * rounding[..., None, :], 0.0, torch.inf)
    return torch.where(size[..., None, :] > 0, sized, missed).nan_to_num(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)


def time_weights(t: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """Return the share of the time that each sample stands for: half of the steps beside it, but for those across a gap.

    The shares sum to 1 and are in float64. They are equal where the steps are.
    """
    t = t.detach().cpu().double()
    steps = t.diff().abs()
    if len(t) < 3 or float(steps.max() - steps.min()) <= 1e-3 * float(steps.max()):
        return torch.full_like(t, 1 / len(t))
    shorter = torch.minimum(torch.cat([steps[1:2], steps[:-1]]), torch.cat([steps[1:], steps[-2:-1]]))
    steps = torch.where(steps > GAP * shorter, torch.nan, steps)
    before, after = torch.cat([steps[:1], steps]), torch.cat([steps, steps[-1:]])
    sides = torch.stack([before, after])
    weights = sides.nanmean(0).nan_to_num(nan=float(steps.nanmedian()))  # a sample between two gaps stands for one step
    return weights / weights.sum()


def circular_mean(angle: Float[Tensor, "*batch T"], weights: Float[Tensor, " T"], period: float) -> Float[Tensor, "*batch 1"]:
    """Return the angle from which the mean square of the shortest differences is least.

    It is the mean once the circle is cut somewhere: with the angles in order, one of the T cuts between them is right.
    """
    ordered, order = angle.remainder(period).sort(-1)
    weights = weights.expand_as(ordered).gather(-1, order)
    passed = weights.cumsum(-1) - weights  # the share of angles below the cut, which go once round
    square = weights * (2 * period * ordered + period**2)
    mean = (weights * ordered).sum(-1, keepdim=True) + period * passed
    variance = (weights * ordered.square()).sum(-1, keepdim=True) + square.cumsum(-1) - square - mean.square()
    return mean.gather(-1, variance.argmin(-1, keepdim=True))
