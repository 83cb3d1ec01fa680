"""Escape from a minimum: how long noise takes to carry a path over the barrier, simulated and by theory."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, nan, pi, sqrt

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.analysis.hessian import Estimate
from physlearn.analysis.langevin import Descent, Diffusion, Field
from systems import InputError
from systems.floats import takes_arrays


@takes_arrays("start", "diffusion")
def escape_times(
    gradient: Field,
    start: Float[Tensor, "n d"],
    diffusion: Diffusion,
    escaped: Callable[[Tensor], Bool[Tensor, " n"]],
    time: float,
    dt: float,
    *,
    seed: int = 0,
) -> Float[Tensor, " n"]:
    """When each path of `langevin` has first escaped, at the end of a step; infinite where it has not within the time.

    escaped: tells of states ``(n, d)`` which of them have. Let it mean the far side of the barrier, well beyond its top:
    from the top, half of the paths fall back. Other arguments as of `langevin`.

    Raises InputError for wrong arguments.
    """
    walk = Descent(gradient, start, diffusion, time, dt, seed)
    if walk.start.ndim != 2:
        raise InputError(f"escape times are of starts (n, d), not {tuple(walk.start.shape)}")
    times = torch.full_like(walk.start[:, 0], inf)
    left = torch.arange(len(times), device=times.device)
    theta = walk.start
    for i in range(1, walk.steps + 1):
        theta = walk.step(theta)
        gone = escaped(theta)
        times[left[gone]] = i * walk.dt
        theta, left = theta[~gone], left[~gone]
        if not len(left):
            break
    return times


@takes_arrays("times")
def escape_rate(times: Float[Tensor, " n"], time: float) -> Estimate:
    r"""The rate of escapes that happen at random, from their times up to a time at which the watch ended.

    .. math:: k = \frac{m}{\sum_i \min(t_i, T)}, \qquad \sigma = k / \sqrt m

    m: how many escaped. The estimate of maximum likelihood, which counts those that did not escape too. It is that of a
    single rate, as there is one where the barrier is several times as high as the noise; without escapes it is 0 and its
    error unknown.
    """
    if not time > 0:
        raise InputError(f"time must be positive, not {time}")
    escapes = int((times <= time).sum())
    rate = escapes / float(times.clamp(max=time).sum())
    return Estimate(rate, rate / sqrt(escapes) if escapes else nan)


@takes_arrays("minimum", "saddle")
def kramers_rate(minimum: Float[Tensor, "d d"], saddle: Float[Tensor, "d d"], barrier: float, diffusion: float) -> float:
    r"""The rate of escapes from a minimum over one saddle, by noise of a constant D in all directions.

    .. math:: k = \frac{|\lambda_-|}{2\pi} \sqrt{\frac{\det H_{\min}}{|\det H_{\rm saddle}|}}\; e^{-\Delta V / D}

    minimum, saddle: the Hessians there, of which the saddle's has one negative eigenvalue :math:`\lambda_-`; barrier: the
    difference of V. It holds for a barrier several times D, and errs by the order of D / barrier.

    Raises InputError for Hessians that are not of a minimum and of a saddle.
    Source: Kramers, Physica 7, 284 (1940); Haenggi, Talkner, Borkovec, Rev. Mod. Phys. 62, 251 (1990), section IV.
    """
    below, above = (torch.linalg.eigvalsh(torch.as_tensor(H, dtype=torch.float64)) for H in (minimum, saddle))
    if not (below > 0).all():
        raise InputError(f"at a minimum all curvatures are positive, not {below.tolist()}")
    if int((above < 0).sum()) != 1 or not (above != 0).all():
        raise InputError(f"at a saddle between two valleys one curvature is negative, and none zero, not {above.tolist()}")
    if not (barrier > 0 and diffusion > 0):
        raise InputError(f"the barrier and the diffusion must be positive, not {barrier} and {diffusion}")
    prefactor = float(-above[0] / (2 * pi) * (below.prod() / above.prod().abs()).sqrt())
    return prefactor * exp(-barrier / diffusion)


def descent_rate(
    sharpness: float, saddle: float, loss: float, loss_at_saddle: float, learning_rate: float, batch_size: int
) -> float:
    r"""The rate of escapes by stochastic descent along one direction, a power of the ratio of the losses.

    .. math:: k = \frac{\sqrt{h\,|h_s|}}{2\pi} \left(\frac{\mathcal L_s}{\mathcal L}\right)^{-B / \eta h - 1/2}

    For the noise of `descent_noise`, which grows with the loss: Kramers' exponential becomes a power, and its exponent is
    the smaller the sharper the minimum, so that sharp minima are left first. sharpness, saddle: the curvatures h > 0 at the
    minimum and h_s < 0 at the top of the barrier. The time is that of `langevin`, eta a step. It is Kramers' formula for
    ln L with the noise eta h / B, and holds where that is small against ln(L_s / L).

    Raises InputError for curvatures or losses that are not those of a minimum below a barrier.
    Source: Mori, Ziyin, Liu, Ueda, ICML 2022, for one direction.
    """
    if not (sharpness > 0 > saddle and 0 < loss < loss_at_saddle and learning_rate > 0 and batch_size > 0):
        raise InputError(
            "an escape needs a minimum (sharpness > 0, loss > 0) below a barrier (saddle < 0, a larger loss), and a positive "
            "learning rate and batch size"
        )
    power = batch_size / (learning_rate * sharpness) + 0.5
    return sqrt(-sharpness * saddle) / (2 * pi) * (loss_at_saddle / loss) ** -power
