"""Errors of the state, component by component, and of an oscillation's phase."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metrics.match import check_match
from systems import InputError, Orbit


def phase_rmse(forecast: Orbit, truth: Orbit, horizons: Sequence[float] | None = None) -> Float[Tensor, "*batch D"]:
    """The root mean square error of each component, in units of its standard deviation along the true orbit.

    horizons: H times from the start up to which to average, giving ``(..., H, D)``; by default over the whole orbit,
    ``(..., D)``. Infinite where a state is not finite. An error of 1 is that of the true mean, of sqrt(2) that of another
    orbit of the same kind. Raises InputError for orbits that do not match, or horizons that they do not reach.
    """
    check_match(forecast, truth)
    spread = truth.z.std(-2, correction=0)
    errors = forecast.z - truth.z
    # a component that is constant has no spread; where it is met exactly there is no error either
    squares = torch.where(errors == 0, 0, errors.square() / spread.square().unsqueeze(-2))
    squares = squares.nan_to_num(nan=torch.inf, posinf=torch.inf)
    if horizons is None:
        return squares.mean(-2).sqrt()
    elapsed = (truth.t - truth.t[0]).abs()
    if not all(0 <= horizon <= float(elapsed[-1]) * (1 + 1e-6) for horizon in horizons):
        raise InputError(f"horizons must lie within the orbit's length {float(elapsed[-1]):g}, not {list(horizons)}")
    counts = [int((elapsed <= horizon * (1 + 1e-6)).sum()) for horizon in horizons]
    return torch.stack([squares[..., :n, :].mean(-2).sqrt() for n in counts], dim=-2)


def phase_error(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch T"]:
    """How far the forecast of an oscillation is ahead of the truth at each time [rad]; for two coordinates.

    The phase is the angle in the plane of the two coordinates, centred and scaled by the true orbit's range, in the sense that
    dq/dt > 0 for p > 0 turns: it advances by 2 pi a period. NaN from where a forecast is not finite.
    Raises InputError for orbits that do not match, or of other than two coordinates.

    >>> t = torch.linspace(0, 20, 201)
    >>> truth, fast = (Orbit(t, torch.stack([torch.sin(w * t), w * torch.cos(w * t)], -1)) for w in (1.0, 1.1))
    >>> print(f"{phase_error(fast, truth)[-1]:.1f}")
    2.0
    """
    check_match(forecast, truth)
    if truth.dim != 2:
        raise InputError(f"the phase of an oscillation needs two coordinates, not {truth.dim}")
    low, high = truth.z.aminmax(dim=-2, keepdim=True)
    center, scale = (high + low) / 2, (high - low) / 2  # a mean would be off unless the orbit had whole periods
    angles = [_unwrapped((orbit.z - center) / scale) for orbit in (forecast, truth)]
    ahead = angles[0] - angles[1]
    # the two start on one branch of the angle, however the cut lies between them
    return ahead - 2 * torch.pi * (ahead[..., :1] / (2 * torch.pi)).round()


def _unwrapped(u: Float[Tensor, "*batch T 2"]) -> Float[Tensor, "*batch T"]:
    angle = torch.atan2(-u[..., 1], u[..., 0]).where(torch.isfinite(u).all(-1), torch.nan)
    steps = torch.remainder(angle.diff(dim=-1) + torch.pi, 2 * torch.pi) - torch.pi
    return torch.cat([angle[..., :1], angle[..., :1] + steps.cumsum(-1)], dim=-1)
