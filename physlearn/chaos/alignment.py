"""Alignment indices: deviations of a chaotic orbit all turn into the one direction that grows fastest."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.resolution import resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.variational import between_renormalisations, carry, deviations
from physlearn.flow import FlowLike
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.deprecation import keyword_only
from systems.floats import takes_arrays


@keyword_only("dt")
@takes_arrays("z0")
@unrecorded
def sali(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch"]:
    r"""The smallest alignment index of two deviations at the end of the time; NaN for orbits that escape.

    .. math:: \mathrm{SALI} = \min(\|\hat w_1 + \hat w_2\|, \|\hat w_1 - \hat w_2\|), \qquad 0 \le \mathrm{SALI} \le \sqrt 2

    It falls as exp(-(lambda_1 - lambda_2) t) on a chaotic orbit and stays of order one on a regular orbit of two or more
    degrees of freedom; with one degree of freedom, and where frequencies are the same for all orbits of an energy (as in
    Kepler's problem), it falls as a power of t. Deviations are measured in units of the orbit's own spread, coordinate by
    coordinate, so that the index does not depend on units.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, or a function ``f(t, z)``.
    z0 : shape ``(..., D)``
        Initial states.
    time
        How long.
    dt
        Step; by default 0.05 times the flow's time scale, 1/rate of its fastest linear motion, rounded to 1, 2 or 5 times a
        power of ten. Orbits that it does not resolve are followed in steps of an eighth.
    seed
        Random seed of the deviations.
    method
        As of `lyapunov_exponents`.

    Returns
    -------
    Tensor, shape ``(...)``
        The index, from 0 to sqrt(2); NaN for orbits that escape.

    Raises
    ------
    InputError
        For wrong arguments.

    Warns
    -----
    UserWarning
        If even the finer steps do not resolve some orbits.

    References
    ----------
    Skokos, J. Phys. A 34, 10029 (2001).

    Examples
    --------
    >>> def saddle(t, z):
    ...     return z * z.new_tensor([1.0, -1.0])
    >>> bool(sali(saddle, torch.zeros(2, dtype=torch.float64), time=10.0, dt=0.1) < 1e-7)
    True
    """
    batch, w = _carried(flow, z0, time, 2, dt, seed, method)
    return smallest(w).reshape(batch)


@keyword_only("dt")
@takes_arrays("z0")
@unrecorded
def gali(
    flow: FlowLike,
    z0: Float[Tensor, "*batch D"],
    time: float,
    k: int,
    *,
    dt: float | None = None,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch"]:
    r"""The generalized alignment index: the volume of k unit deviations at the end of the time, from 0 to 1; NaN on escape.

    .. math:: \mathrm{GALI}_k = \|\hat w_1 \wedge \dots \wedge \hat w_k\| = \prod_i \sigma_i(\hat w_1, \dots, \hat w_k)

    On a regular orbit of N degrees of freedom it is of order one for k <= N and falls as t^-2(k-N) beyond; on a chaotic
    orbit it falls exponentially. Arguments as of `sali`, with 2 <= k <= D.

    Raises InputError for wrong arguments.
    Source: Skokos, Bountis, Antonopoulos, Physica D 231, 30 (2007); by singular values: Eur. Phys. J. Special Topics 165, 5
    (2008).
    """
    if k < 2:
        raise InputError(f"k must be at least 2, not {k}: one deviation aligns with nothing")
    batch, w = _carried(flow, z0, time, k, dt, seed, method)
    gone = w.isnan().any(-1).any(-1)
    volume = torch.linalg.svdvals(w.masked_fill(gone[:, None, None], 0.0)).prod(-1)
    return volume.masked_fill(gone, torch.nan).reshape(batch)


def smallest(w: Float[Tensor, "n 2 D"]) -> Float[Tensor, " n"]:
    """The smallest alignment index of unit deviations."""
    a, b = w.unbind(-2)
    return torch.minimum((a + b).norm(dim=-1), (a - b).norm(dim=-1))


def advance(
    rollout: Rollout, first: int, steps: int, z: Float[Tensor, "n D"], w: Float[Tensor, "n k D"], scale: Float[Tensor, "n D"]
) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n k D"], Float[Tensor, " n"]]:
    """States and unit deviations some steps on, and the logarithm by which the first deviation grew meanwhile."""
    z, w = carry(rollout, first, steps, z, w, scale)
    return z, _unit(z, w), w[:, 0].norm(dim=-1).double().log()


def _unit(z: Float[Tensor, "n D"], w: Float[Tensor, "n k D"]) -> Float[Tensor, "n k D"]:
    """The deviations at length one; NaN for an orbit that escaped."""
    w = w / w.norm(dim=-1, keepdim=True)
    gone = ~(z.isfinite().all(-1) & w.isfinite().all(-1).all(-1))
    return w.masked_fill(gone[:, None, None], torch.nan)


def _carried(
    flow: FlowLike, z0: Tensor, time: float, k: int, dt: float | None, seed: int, method: str | None
) -> tuple[torch.Size, Float[Tensor, "n k D"]]:
    """The batch of z0, and the unit deviations at the end of the time."""
    rollout = Rollout.of(flow, z0, time, dt, method)
    ends = deviations(rollout.z, k, seed)
    resolution = resolve(rollout)
    for rows, group in resolution.groups(rollout):
        z, w = group.z, ends[rows]
        for first, steps in between_renormalisations(group.steps):
            z, w, _ = advance(group, first, steps, z, w, resolution.scale[rows])
        ends[rows] = w
    resolution.warn(rollout, "their alignment may be the integrator's")
    return rollout.batch, ends
