"""Escape from a minimum over a barrier by noise: escape times from simulations, and rates from theory."""

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
    """Simulate Langevin paths, and return the time at which each first escapes.

    Parameters
    ----------
    gradient
        Gradient of the potential, ``(..., d)`` to ``(..., d)``.
    start : shape ``(n, d)``
        Initial state of each path.
    diffusion
        Diffusion D, as in `langevin`.
    escaped
        Function that returns for states ``(n, d)`` which have escaped, ``(n,)``. It should test for the far side of the
        barrier, well beyond its top, because half of the paths return from the top.
    time
        Duration of the simulation.
    dt
        Longest time step.
    seed
        Random seed.

    Returns
    -------
    Tensor, shape ``(n,)``
        Escape times, each the end of a time step; infinite for paths that do not escape within ``time``.

    Raises
    ------
    InputError
        If an argument is invalid.
    """
    walk = Descent(gradient, start, diffusion, time, dt, seed)
    if walk.start.ndim != 2:
        raise InputError(f"start must be (n, d), one initial state per path, not {tuple(walk.start.shape)}")
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
    r"""Estimate the escape rate from escape times by maximum likelihood.

    .. math:: k = \frac{m}{\sum_i \min(t_i, T)}, \qquad \sigma = k / \sqrt m

    Here m is the number of paths that escaped; the paths that did not escape contribute the time T. The estimate assumes a
    constant rate, which holds for a barrier several times higher than the noise.

    Parameters
    ----------
    times : shape ``(n,)``
        Escape times, infinite for paths that did not escape.
    time
        Time T at which the observation ended.

    Returns
    -------
    Estimate
        The rate and its standard error. Without escapes, the rate is 0 and its error is NaN.

    Raises
    ------
    InputError
        If ``time`` is not positive.
    """
    if not time > 0:
        raise InputError(f"time must be positive, not {time}")
    escapes = int((times <= time).sum())
    rate = escapes / float(times.clamp(max=time).sum())
    return Estimate(rate, rate / sqrt(escapes) if escapes else nan)


@takes_arrays("minimum", "saddle")
def kramers_rate(minimum: Float[Tensor, "d d"], saddle: Float[Tensor, "d d"], barrier: float, diffusion: float) -> float:
    r"""Return Kramers' escape rate from a minimum over one saddle, for isotropic noise of constant D.

    .. math:: k = \frac{|\lambda_-|}{2\pi} \sqrt{\frac{\det H_{\min}}{|\det H_{\rm saddle}|}}\; e^{-\Delta V / D}

    The formula holds for a barrier of several times D, with a relative error of order D / barrier.

    Parameters
    ----------
    minimum : shape ``(d, d)``
        Hessian at the minimum, positive definite.
    saddle : shape ``(d, d)``
        Hessian at the saddle, with a single negative eigenvalue :math:`\lambda_-`.
    barrier
        Difference of the potential, :math:`\Delta V`.
    diffusion
        Diffusion D.

    Returns
    -------
    float
        Escapes per unit of time.

    Raises
    ------
    InputError
        If the Hessians are not those of a minimum and a saddle, or the barrier or the diffusion is not positive.

    References
    ----------
    Kramers, Physica 7, 284 (1940); Haenggi, Talkner, Borkovec, Rev. Mod. Phys. 62, 251 (1990), section IV.
    """
    below, above = (torch.linalg.eigvalsh(torch.as_tensor(H, dtype=torch.float64)) for H in (minimum, saddle))
    if not (below > 0).all():
        raise InputError(f"all curvatures at a minimum must be positive, not {below.tolist()}")
    if int((above < 0).sum()) != 1 or not (above != 0).all():
        raise InputError(f"exactly one curvature at a saddle must be negative, and none zero, not {above.tolist()}")
    if not (barrier > 0 and diffusion > 0):
        raise InputError(f"the barrier and the diffusion must be positive, not {barrier} and {diffusion}")
    prefactor = float(-above[0] / (2 * pi) * (below.prod() / above.prod().abs()).sqrt())
    return prefactor * exp(-barrier / diffusion)


def descent_rate(
    sharpness: float, saddle: float, loss: float, loss_at_saddle: float, learning_rate: float, batch_size: int
) -> float:
    r"""Return the escape rate of stochastic gradient descent along one direction.

    .. math:: k = \frac{\sqrt{h\,|h_s|}}{2\pi} \left(\frac{\mathcal L_s}{\mathcal L}\right)^{-B / \eta h - 1/2}

    The formula is for the noise of `descent_noise`, which grows with the loss: Kramers' exponential becomes a power of the
    ratio of the losses. Its exponent is smaller in magnitude for a sharper minimum, so descent escapes sharp minima first.
    The formula is Kramers' for the potential ln L with the noise eta h / B, and holds if that is small compared with
    ln(L_s / L).

    Parameters
    ----------
    sharpness
        Curvature h > 0 at the minimum.
    saddle
        Curvature h_s < 0 at the top of the barrier.
    loss
        Loss L > 0 at the minimum.
    loss_at_saddle
        Loss L_s > L at the top of the barrier.
    learning_rate
        Learning rate :math:`\eta`.
    batch_size
        Batch size B.

    Returns
    -------
    float
        Escapes per unit of time, where a step of descent takes a time of :math:`\eta`, as in `langevin`.

    Raises
    ------
    InputError
        If the curvatures or losses are not those of a minimum below a barrier, or the learning rate or batch size is not
        positive.

    References
    ----------
    Mori, Ziyin, Liu, Ueda, ICML 2022, for one direction.
    """
    if not (sharpness > 0 > saddle and 0 < loss < loss_at_saddle and learning_rate > 0 and batch_size > 0):
        raise InputError(
            "an escape needs a minimum (sharpness > 0, loss > 0) below a barrier (saddle < 0, loss_at_saddle > loss), and a "
            "positive learning rate and batch size"
        )
    power = batch_size / (learning_rate * sharpness) + 0.5
    return sqrt(-sharpness * saddle) / (2 * pi) * (loss_at_saddle / loss) ** -power
