"""Lyapunov exponents: the rates at which neighbouring orbits separate."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.chaos.resolution import resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.variational import between_renormalisations, carry, deviations, lengths_between, together
from physlearn.flow import FlowLike
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.deprecation import keyword_only
from systems.errors import outside
from systems.floats import takes_arrays
from systems.maps import Map

BLOCKS = 10  # blocks of time whose means give the standard error, which ten blocks determine to about a quarter


@dataclass(frozen=True, repr=False)
class Exponents(Brief):
    """Lyapunov exponents and their convergence.

    Parameters
    ----------
    values : shape ``(..., k)``
        Exponents [1 / time], largest first; NaN for orbits that escaped.
    error : shape ``(..., k)``
        Standard errors, from the means of ten blocks of time.
    t : shape ``(S,)``
        Times.
    history : shape ``(..., S, k)``
        Mean rates from the start to each time, in the order of the values.
    """

    values: Float[Tensor, "*batch k"]
    error: Float[Tensor, "*batch k"]
    t: Float[Tensor, " S"]
    history: Float[Tensor, "*batch S k"]


@keyword_only("dt", "k")
@takes_arrays("z0")
@unrecorded
def lyapunov_exponents(
    flow: FlowLike | Map,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    k: int = 1,
    transient: float = 0.0,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch k"]:
    r"""Compute the k largest Lyapunov exponents of each orbit.

    .. math:: \lambda_i = \frac1T \sum_n \ln R_{ii}^{(n)}, \qquad D\Phi\, Q^{(n-1)} = Q^{(n)} R^{(n)}

    The exponents of a regular orbit converge to zero only as ln(T)/T; `lyapunov_history` shows how far they have converged.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, a function ``f(t, z)``, or a map of `systems.maps`.
    z0 : shape ``(..., D)``
        Initial states. The result has their dtype and device.
    time
        Time over which the growth rates are averaged; for a map, the number of iterations.
    dt
        Step; by default 0.05 times the flow's time scale, 1/rate of its fastest linear motion, rounded to 1, 2 or 5 times a
        power of ten. Orbits that are not resolved by this step are integrated with steps of ``dt / 8``.
    k
        Number of exponents, from 1 to D.
    transient
        Time to integrate before averaging starts, so that the orbit reaches an attractor; defaults to 0.
    seed
        Random seed for the deviation vectors, which are measured in units of the orbit's own spread.
    method
        An explicit integrator; defaults to yoshida-4 for a separable Hamiltonian, and to rk4 for all other flows.

    Returns
    -------
    Tensor, shape ``(..., k)``
        Exponents [1 / time], largest first; NaN for orbits that escape. A map whose derivative vanishes on the orbit has an
        exponent of minus infinity.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If some orbits escape, or are not resolved even with the smaller steps.

    References
    ----------
    Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15, 9 and 21 (1980).

    Examples
    --------
    >>> def saddle(t, z):
    ...     return z * z.new_tensor([0.5, -2.0])
    >>> lyapunov_exponents(saddle, torch.tensor([1e-9, 1.0]), time=20.0, k=2, transient=5.0).round(decimals=2)
    tensor([ 0.5000, -2.0000])
    """
    return lyapunov_history(flow, z0, time, dt=dt, k=k, transient=transient, seed=seed, method=method).values


@keyword_only("dt", "k")
@takes_arrays("z0")
@unrecorded
def lyapunov_history(
    flow: FlowLike | Map,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    k: int = 1,
    transient: float = 0.0,
    seed: int = 0,
    method: str | None = None,
) -> Exponents:
    """Compute Lyapunov exponents with their standard errors and convergence curves.

    Parameters
    ----------
    flow, z0, time, dt, k, transient, seed, method
        As in `lyapunov_exponents`.

    Returns
    -------
    Exponents
        The exponents, their standard errors, and the running averages.

    Raises
    ------
    InputError
        For invalid arguments.

    Warns
    -----
    UserWarning
        If some orbits escape, or are not resolved even with the smaller steps.
    """
    if not 0 <= transient < inf:
        raise InputError(f"transient must be a finite time of at least 0, not {transient}")
    rollout = Rollout.of(flow, z0, time, dt, method, maps=True)
    start = deviations(rollout.z, k, seed)
    before = round(transient / rollout.dt)
    resolution = resolve(replace(rollout, steps=before + rollout.steps))
    stretches = list(between_renormalisations(rollout.steps, before))
    lengths = np.array([before, *(steps for _, steps in stretches)])
    growth = torch.empty(len(rollout.z), len(stretches), k, dtype=torch.float64, device=rollout.z.device)
    for rows, group in resolution.groups(rollout):
        finer = group.steps // rollout.steps
        growth[rows] = growth_in(group, group.z, start[rows], resolution.scale[rows], finer * lengths)[:, 1:]
    resolution.warn(rollout, "their exponents may be artefacts of the integrator")
    if escaped := int(growth.isnan().flatten(1).any(-1).sum()):
        warnings.warn(
            f"{escaped} of {len(growth)} orbits escape, so that their exponents are NaN; start closer to the attractor, or "
            "declare the periods of angles",
            stacklevel=outside(),
        )
    ends = [(first + steps - before) * rollout.dt for first, steps in stretches]
    t = torch.tensor(ends, dtype=torch.float64, device=rollout.z.device).to(rollout.z.dtype)
    sums = growth.cumsum(1)  # (n, S, k)
    history = sums / t.double()[:, None]
    order = history[:, -1].argsort(dim=-1, descending=True)
    history = history.gather(-1, order.unsqueeze(1).expand_as(history))
    error = standard_error(history, t.double())
    shape = rollout.batch
    result = Exponents(
        values=history[:, -1].to(rollout.z.dtype).reshape(*shape, k),
        error=error.to(rollout.z.dtype).reshape(*shape, k),
        t=t,
        history=history.to(rollout.z.dtype).reshape(*shape, len(t), k),
    )
    return rollout.rounded(result)


def growth_in(
    rollout: Rollout,
    z: Float[Tensor, "n D"],
    w: Float[Tensor, "n k D"],
    scale: Float[Tensor, "n D"],
    lengths: Int[np.ndarray, " S"],
    first: int = 0,
) -> Float[Tensor, "n S k"]:
    """Return the logarithmic growth of deviation vectors in consecutive stretches of these numbers of steps.

    The first stretch begins with the step number ``first``. The vectors are made orthogonal. The growth is NaN for orbits that
    escape.
    """
    counts, owners = lengths_between(lengths, together(rollout))
    if rollout.compiled is not None:
        method = rollout.kind(rollout.flow)
        return rollout.compiled.carried(method, z, w, scale, rollout.dt, counts, owners, orthogonal=True, first=first)[2]
    growth = torch.zeros(len(z), len(lengths), w.shape[1], dtype=torch.float64, device=z.device)
    for count, owner in zip(counts.tolist(), owners.tolist(), strict=True):
        z, w, logarithms = _stretch(rollout, first, count, z, w, scale)
        growth[:, owner] += logarithms
        first += count
    return growth


def _stretch(rollout: Rollout, first: int, steps: int, z: Tensor, w: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take some steps, and return the logarithmic growth ``(n, k)`` of the vectors before they are orthonormalized."""
    z, w = carry(rollout, first, steps, z, w, scale)
    gone = ~(z.isfinite().all(-1) & w.isfinite().all(-1).all(-1))
    w = torch.where(gone[:, None, None], torch.eye(*w.shape[1:], dtype=w.dtype, device=w.device), w)
    q, r = torch.linalg.qr(w.mT)
    logarithms = r.diagonal(dim1=-2, dim2=-1).abs().log()
    nan = torch.nan
    return z.masked_fill(gone[:, None], nan), q.mT.contiguous(), logarithms.masked_fill(gone[:, None], nan)


def standard_error(history: Float[Tensor, "n S k"], t: Float[Tensor, " S"]) -> Float[Tensor, "n k"]:
    """Return the standard error of the mean rate over blocks of about equal time; NaN with fewer stretches than blocks."""
    if len(t) < BLOCKS:
        return torch.full_like(history[:, -1], torch.nan)
    last = torch.linspace(0, len(t), BLOCKS + 1, dtype=torch.float64).round().long()[1:] - 1
    total = torch.cat([torch.zeros_like(history[:, :1]), history[:, last] * t[last, None]], dim=1)
    length = torch.cat([t.new_zeros(1), t[last]]).diff()
    means = total.diff(dim=1) / length[:, None]
    return ((means - means.mean(1, keepdim=True)).square().sum(1) / (BLOCKS * (BLOCKS - 1))).sqrt()
