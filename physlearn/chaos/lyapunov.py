"""Lyapunov exponents: how fast neighbouring orbits part."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.variational import carry, deviations, pieces
from physlearn.chaos.walk import Walk, lost
from systems import InputError

BLOCKS = 10  # of time, whose means differ by the standard error; enough for it to be known to a quarter


@dataclass(frozen=True)
class Exponents:
    """Lyapunov exponents and how they converged.

    values: ``(..., k)``, largest first, a rate in units of 1/time; NaN for orbits that escaped. error: ``(..., k)``, their
    standard errors, from the means of ten blocks of time. t: ``(S,)``, times; history: ``(..., S, k)``, the mean rates
    from the start to each of them, in the order of the values.
    """

    values: Float[Tensor, "*batch k"]
    error: Float[Tensor, "*batch k"]
    t: Float[Tensor, " S"]
    history: Float[Tensor, "*batch S k"]


def lyapunov_exponents(
    flow: Any,
    z0: Float[Tensor, "*batch D"],
    time: float,
    dt: float = 0.05,
    k: int = 1,
    *,
    transient: float = 0.0,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch k"]:
    r"""The k largest Lyapunov exponents of each orbit over a time, largest first; NaN for orbits that escape.

    .. math:: \lambda_i = \frac1T \sum_n \ln R_{ii}^{(n)}, \qquad D\Phi\, Q^{(n-1)} = Q^{(n)} R^{(n)}

    flow: a system, a trained model or Forecaster, or a function ``f(t, z)``; z0 keeps its dtype and device. transient: a
    time to run, onto an attractor, before the averages begin. method: an explicit integrator; by default yoshida-4 for a
    separable Hamiltonian, rk4 for every other flow. The exponents of a regular orbit fall as ln(T)/T only: see
    `lyapunov_history` for how far they have converged.

    Raises InputError for wrong arguments.
    Source: Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15, 9 and 21 (1980).

    >>> def saddle(t, z):
    ...     return z * z.new_tensor([0.5, -2.0])
    >>> lyapunov_exponents(saddle, torch.tensor([1e-9, 1.0]), time=20.0, k=2, transient=5.0).round(decimals=2)
    tensor([ 0.5000, -2.0000])
    """
    return lyapunov_history(flow, z0, time, dt, k, transient=transient, seed=seed, method=method).values


def lyapunov_history(
    flow: Any,
    z0: Float[Tensor, "*batch D"],
    time: float,
    dt: float = 0.05,
    k: int = 1,
    *,
    transient: float = 0.0,
    seed: int = 0,
    method: str | None = None,
) -> Exponents:
    """The exponents of `lyapunov_exponents`, with their standard errors and the curves by which they converged."""
    if not 0 <= transient < inf:
        raise InputError(f"transient must be a time of at least 0, not {transient}")
    walk = Walk.of(flow, z0, time, dt, method)
    z, w = walk.z, deviations(walk.z, k, seed)
    before = round(transient / walk.dt)
    for first, steps in pieces(before):
        z, w, _ = _stretch(walk, first, steps, z, w)
    growth, ends = [], []
    for first, steps in pieces(walk.steps, before):
        z, w, logarithms = _stretch(walk, first, steps, z, w)
        growth.append(logarithms)
        ends.append((first + steps - before) * walk.dt)
    t = torch.tensor(ends, dtype=torch.float64, device=z.device).to(z.dtype)
    sums = torch.stack(growth, dim=1).double().cumsum(1)  # (n, S, k)
    history = sums / t.double()[:, None]
    order = history[:, -1].argsort(dim=-1, descending=True)
    history = history.gather(-1, order.unsqueeze(1).expand_as(history))
    error = standard_error(history, t.double())
    shape = walk.batch
    return Exponents(
        values=history[:, -1].to(z.dtype).reshape(*shape, k),
        error=error.to(z.dtype).reshape(*shape, k),
        t=t,
        history=history.to(z.dtype).reshape(*shape, len(t), k),
    )


def _stretch(walk: Walk, first: int, steps: int, z: Tensor, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Some steps, and the logarithms ``(n, k)`` by which the deviations grew before they were made orthonormal again."""
    z, w = carry(walk, first, steps, z, w)
    gone = lost(z, inf) | ~w.isfinite().all(-1).all(-1)
    w = torch.where(gone[:, None, None], torch.eye(*w.shape[1:], dtype=w.dtype, device=w.device), w)
    q, r = torch.linalg.qr(w.mT)
    logarithms = r.diagonal(dim1=-2, dim2=-1).abs().log()
    nan = torch.nan
    return z.masked_fill(gone[:, None], nan), q.mT.contiguous(), logarithms.masked_fill(gone[:, None], nan)


def standard_error(history: Float[Tensor, "n S k"], t: Float[Tensor, " S"]) -> Float[Tensor, "n k"]:
    """That of the mean of the rates in blocks of about equal time; NaN where there are fewer stretches than blocks."""
    if len(t) < BLOCKS:
        return torch.full_like(history[:, -1], torch.nan)
    last = torch.linspace(0, len(t), BLOCKS + 1, dtype=torch.float64).round().long()[1:] - 1
    total = torch.cat([torch.zeros_like(history[:, :1]), history[:, last] * t[last, None]], dim=1)
    length = torch.cat([t.new_zeros(1), t[last]]).diff()
    means = total.diff(dim=1) / length[:, None]
    return ((means - means.mean(1, keepdim=True)).square().sum(1) / (BLOCKS * (BLOCKS - 1))).sqrt()
