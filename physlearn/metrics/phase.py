"""The error of each component of the state, and of the phase of an oscillation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metrics.angle import continuous, unwrapped
from physlearn.metrics.match import check_match, common_periods, differences, slack
from physlearn.metrics.measured import of_what_was_measured
from physlearn.metrics.spread import relative, resolution, spreads, time_weights
from systems import InputError, Orbit


@of_what_was_measured(components=True)
def phase_rmse(forecast: Orbit, truth: Orbit, horizons: Sequence[float] | None = None) -> Float[Tensor, "*batch D"]:
    r"""Return the root mean square error of each component, in units of its standard deviation along the true orbit.

    .. math:: \sqrt{\langle (\hat z_i \ominus z_i)^2 \rangle_t} \,/\, s_i, \qquad
        s_i^2 = \min_c \, \langle (z_i \ominus c)^2 \rangle_t

    The difference of two angles is the shortest one, modulo the period that either orbit declares. A forecast of the true mean
    has an error of 1, and another orbit of the same kind has an error of about sqrt(2).

    Parameters
    ----------
    forecast, truth : shape ``(..., T, D)``
        Orbits at the same times, which may differ from orbit to orbit. Each sample is weighted by the time that it
        represents, not counting gaps. NaN in the truth was not measured, and does not count.
    horizons
        H times, measured from the start, up to which the error is averaged; defaults to the whole length.

    Returns
    -------
    Tensor, shape ``(..., D)``, or ``(..., H, D)`` with horizons
        Relative errors; infinite if a state is not finite, or if a component of the truth is constant and the forecast misses
        it by more than rounding.

    Raises
    ------
    InputError
        If the orbits do not match, or are shorter than a horizon.

    Notes
    -----
    Use it for a whole forecast, or up to given horizons, when an average error is more useful than the time at which the
    forecast fails.

    Examples
    --------
    >>> t = torch.linspace(0, 6.28, 101)
    >>> truth = Orbit(t, 7 + t.sin()[:, None])
    >>> print(f"{float(phase_rmse(Orbit(t, torch.full((101, 1), 7.0)), truth)):.2f}")
    1.00
    """
    errors = differences(forecast, truth)
    squares = relative(errors, spreads(truth, common_periods(forecast, truth)), resolution(truth)).square()
    weights = time_weights(truth.t).to(squares)[:, None]
    if horizons is None:
        return (weights * squares).sum(-2).sqrt().to(truth.z.dtype)
    elapsed = (truth.t - truth.t[0]).abs().cpu().double()
    allowed = slack(truth.t)
    if len(horizons) == 0 or not all(0 <= horizon <= float(elapsed[-1] + allowed[-1]) for horizon in horizons):
        raise InputError(f"horizons must lie within the orbit's length {float(elapsed[-1]):g}, not {list(horizons)}")
    counts = [int((elapsed - allowed <= float(horizon)).sum()) for horizon in horizons]
    means = [(weights[:n] * squares[..., :n, :]).sum(-2) / weights[:n].sum() for n in counts]
    return torch.stack([mean.sqrt() for mean in means], dim=-2).to(truth.z.dtype)


def phase_error(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch T"]:
    r"""Return the phase difference of forecast and truth at each time [rad], positive if the forecast is ahead.

    .. math:: \Delta\phi(t) = \hat\phi(t) - \phi(t), \qquad \tan \phi = \tilde q / \tilde p

    The phase is the angle in the plane of the two coordinates, after both are centred and scaled by the true orbit's range.
    Its direction is that of a motion with dq/dt > 0 for p > 0, so that it increases by 2 pi per period. If the first
    coordinate is an angle, whose period is declared by either orbit, and the truth rotates, the phase is this angle in the
    direction of the rotation. Whole turns are counted as long as the phase difference changes by less than half a turn
    between two times.

    Parameters
    ----------
    forecast, truth : states of shape ``(..., T, 2)``
        Orbits at the same times.

    Returns
    -------
    Tensor, shape ``(..., T)``
        Phase differences; NaN from the first time at which the forecast is not finite.

    Raises
    ------
    InputError
        If the orbits do not match, or do not have two coordinates.

    Notes
    -----
    Use it for oscillations and rotations, to see whether a forecast runs fast or slow.

    Examples
    --------
    >>> t = torch.linspace(0, 20, 201)
    >>> truth, fast = (Orbit(t, torch.stack([torch.sin(w * t), w * torch.cos(w * t)], -1)) for w in (1.0, 1.1))
    >>> print(f"{phase_error(fast, truth)[-1]:.1f}")
    2.0
    """
    check_match(forecast, truth)
    if truth.dim != 2:
        raise InputError(f"the phase of an oscillation needs two coordinates, not {truth.dim}")
    seen, true = (orbit.z.double() for orbit in (forecast, truth))
    period = common_periods(forecast, truth).get(truth.coordinates[0])
    if period is not None:
        seen, true = (torch.stack([continuous(z[..., 0], period), z[..., 1]], dim=-1) for z in (seen, true))
        seen[..., 0] -= period * ((seen[..., :1, 0] - true[..., :1, 0]) / period).round()
    ahead = unwrapped(_angle(seen, true) - _angle(true, true), 2 * torch.pi)
    if period is not None:
        turned = (true[..., -1:, 0] - true[..., :1, 0]) / period
        rotation = unwrapped(seen[..., 0] - true[..., 0], period) * turned.sign() * 2 * torch.pi / period
        ahead = torch.where(turned.abs() >= 1, rotation, ahead)
    # both start on the same branch of the angle, even if the branch cut lies between them
    ahead = ahead - 2 * torch.pi * (ahead[..., :1] / (2 * torch.pi)).round()
    return ahead.to(truth.z.dtype)


def _angle(z: Float[Tensor, "*batch T 2"], truth: Float[Tensor, "*batch T 2"]) -> Float[Tensor, "*batch T"]:
    low, high = truth.aminmax(dim=-2, keepdim=True)
    u = (z - (high + low) / 2) / ((high - low) / 2)  # the mean is the centre only over whole periods
    return torch.atan2(-u[..., 1], u[..., 0]).where(torch.isfinite(u).all(-1), torch.nan)
