"""Indicators of chaos from the length of one deviation vector: MEGNO and the fast Lyapunov indicator."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.resolution import resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.variational import carry, deviations
from physlearn.flow import FlowLike
from physlearn.integrators import find
from systems.autograd_mode import unrecorded
from systems.floats import takes_arrays

NUMBERS_AT_ONCE = 2**20  # lengths that are kept at the same time
MOST_AT_ONCE = 4096  # steps

Logarithms = Iterator[Float[Tensor, "n c"]]


@takes_arrays("z0")
@unrecorded
def megno(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch"]:
    r"""Compute the mean exponential growth factor of nearby orbits (MEGNO), averaged over time.

    .. math:: \langle Y \rangle = \frac1T \int_0^T Y \,dt, \qquad
        Y(t) = \frac2t \int_0^t s \,\frac{d \ln\|w\|}{ds}\, ds = 2 \ln\|w(t)\| - \frac2t \int_0^t \ln\|w\| \,ds

    The average tends to 2 on a quasi-periodic orbit, where the deviation vector w grows linearly, and to 0 where it does not
    grow, as in a harmonic oscillator. On a chaotic orbit it grows as half of the largest Lyapunov exponent times the time.
    Both integrals are sums by the trapezoidal rule over all steps.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states. The result has their dtype and device.
    time
        Integration time T.
    dt
        Step; by default 0.05 times the flow's time scale, 1/rate of its fastest linear motion, rounded to 1, 2 or 5 times a
        power of ten. Orbits that are not resolved by this step are integrated with steps of ``dt / 8``.
    seed
        Random seed for the deviation vector, whose coordinates are measured in units of the orbit's own spread.
    method
        An explicit integrator, as in `lyapunov_exponents`.

    Returns
    -------
    Tensor, shape ``(...)``
        The average; NaN for orbits that escape.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If some orbits are not resolved even with the smaller steps.

    References
    ----------
    Cincotta and Simo, Astron. Astrophys. Suppl. 147, 205 (2000); Cincotta, Giordano, Simo, Physica D 182, 151 (2003).

    Examples
    --------
    >>> def growth(t, z):
    ...     return 0.5 * z
    >>> print(f"{megno(growth, torch.zeros(1, dtype=torch.float64), time=20.0):.6f}")  # 0.5 T / 2
    5.000000
    """
    return _indicator(flow, z0, time, dt, seed, method, _megno)


@takes_arrays("z0")
@unrecorded
def fli(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch"]:
    r"""Compute the fast Lyapunov indicator (FLI): the largest logarithm of the length of a deviation vector so far.

    .. math:: \mathrm{FLI} = \sup_{0 < t \le T} \ln \|w(t)\|, \qquad \|w(0)\| = 1

    The indicator grows as ln T on a quasi-periodic orbit and as the largest Lyapunov exponent times T on a chaotic one.
    Resonant and non-resonant regular orbits differ in the constant that is added to ln T.

    Parameters
    ----------
    flow, z0, time, dt, seed, method
        As in `megno`.

    Returns
    -------
    Tensor, shape ``(...)``
        The indicator, in natural logarithms; NaN for orbits that escape.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If some orbits are not resolved even with the smaller steps.

    References
    ----------
    Froeschle, Lega, Gonczi, Celest. Mech. Dyn. Astron. 67, 41 (1997); for one vector and the supremum: Froeschle and Lega,
    Celest. Mech. Dyn. Astron. 78, 167 (2000).

    Examples
    --------
    >>> def growth(t, z):
    ...     return 0.5 * z
    >>> print(f"{fli(growth, torch.zeros(1, dtype=torch.float64), time=20.0):.6f}")
    10.000000
    """
    return _indicator(flow, z0, time, dt, seed, method, _fli)


def _indicator(
    flow: FlowLike,
    z0: Tensor,
    time: float,
    dt: float | None,
    seed: int,
    method: str | None,
    reduce: Callable[[Logarithms, float], Tensor],
) -> Float[Tensor, "*batch"]:
    """Reduce the logarithmic lengths of one deviation vector after each step to one number per orbit."""
    rollout = Rollout.of(flow, z0, time, dt, method)
    start = deviations(rollout.z, 1, seed)
    resolution = resolve(rollout)
    found = torch.full((len(rollout.z),), torch.nan, dtype=torch.float64, device=rollout.z.device)
    for rows, group in resolution.groups(rollout):
        if len(rows):
            found[rows] = reduce(_logarithms(group, start[rows], resolution.scale[rows]), group.dt)
    resolution.warn(rollout, "their indicators may be artefacts of the integrator")
    return rollout.rounded(found.to(rollout.z.dtype).reshape(rollout.batch))


def _megno(logarithms: Logarithms, dt: float) -> Float[Tensor, " n"]:
    """Return the time average of MEGNO by the trapezoidal rule."""
    integral = total = last = before = torch.zeros(1, dtype=torch.float64)
    steps = 0
    for values in logarithms:
        if not steps:
            integral = total = last = before = torch.zeros_like(values[:, 0])
        middle = (torch.cat([last[:, None], values[:, :-1]], dim=1) + values) / 2
        integrals = integral[:, None] + dt * middle.cumsum(1)
        t = dt * torch.arange(steps + 1, steps + values.shape[1] + 1, dtype=torch.float64, device=values.device)
        growth = 2 * (values - integrals / t)
        total = total + (before + growth[:, -1]) / 2 + growth[:, :-1].sum(1)
        integral, last, before = integrals[:, -1], values[:, -1], growth[:, -1]
        steps += values.shape[1]
    return total / steps


def _fli(logarithms: Logarithms, dt: float) -> Float[Tensor, " n"]:
    """Return the largest logarithm; NaN where one is NaN."""
    largest = [values.amax(1) for values in logarithms]
    return torch.stack(largest).amax(0)


def _logarithms(rollout: Rollout, w: Float[Tensor, "n 1 D"], scale: Float[Tensor, "n D"]) -> Logarithms:
    """Yield the logarithm of a vector's length, in units of its first length, after each of some more steps."""
    z = rollout.z
    at_once = max(1, min(MOST_AT_ONCE, NUMBERS_AT_ONCE // len(z)))
    grown = torch.zeros(len(z), 1, dtype=torch.float64, device=z.device)
    for first in range(0, rollout.steps, at_once):
        steps = min(at_once, rollout.steps - first)
        z, w, growth = _growth(rollout, first, steps, z, w, scale)
        values = grown + growth.cumsum(1)
        grown = values[:, -1:]
        yield values


def _growth(
    rollout: Rollout, first: int, steps: int, z: Tensor, w: Tensor, scale: Tensor
) -> tuple[Tensor, Tensor, Float[Tensor, "n steps"]]:
    """Take some steps; return the states, the unit vectors, and the logarithmic growth in each step."""
    if rollout.compiled is not None:
        method = find(rollout.method)(rollout.flow)
        stretches = rollout.dt, np.ones(steps, dtype=np.int64), np.arange(steps)
        z, w, growth, *_ = rollout.compiled.carried(method, z, w, scale, *stretches, orthogonal=False, first=first)
        return z, w, growth[..., 0]
    lengths = []
    for number in range(first, first + steps):
        z, w = carry(rollout, number, 1, z, w, scale)
        length = w.norm(dim=-1, keepdim=True)
        gone = ~(z.isfinite().all(-1) & length.isfinite().all(-1).all(-1))
        z, w = z.masked_fill(gone[:, None], torch.nan), w / length
        lengths.append(length[:, 0, 0].double().masked_fill(gone, torch.nan))
    return z, w, torch.stack(lengths, dim=1).log()
