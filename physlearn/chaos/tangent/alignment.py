"""Alignment indices: on a chaotic orbit all deviation vectors align with the fastest-growing direction."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.resolution import resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.tangent.variational import between_renormalisations, carry, deviations, lengths_between, together
from physlearn.flow import FlowLike
from systems import InputError
from systems.autograd_mode import unrecorded
from systems.deprecation import keyword_only
from systems.floats import takes_arrays
from systems.maps import Map


@keyword_only("dt")
@takes_arrays("z0")
@unrecorded
def sali(
    flow: FlowLike | Map,
    z0: Float[Tensor, "*batch D"],
    time: float,
    *,
    dt: float | None = None,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch"]:
    r"""Compute the smaller alignment index (SALI) of two deviation vectors after a given time.

    .. math:: \mathrm{SALI} = \min(\|\hat w_1 + \hat w_2\|, \|\hat w_1 - \hat w_2\|), \qquad 0 \le \mathrm{SALI} \le \sqrt 2

    The index falls as exp(-(lambda_1 - lambda_2) t) on a chaotic orbit. On a regular orbit with two or more degrees of
    freedom it stays of order one. It falls as a power of t if there is only one degree of freedom, or if all orbits of an
    energy have the same frequencies, as in the Kepler problem. Each coordinate of a deviation vector is measured in units of
    the orbit's own spread, so that the index does not depend on units.

    Parameters
    ----------
    flow
        A system, a trained model or Forecaster, a function ``f(t, z)``, or a map of `systems.maps`.
    z0 : shape ``(..., D)``
        Initial states.
    time
        Integration time; for a map, the number of iterations.
    dt
        Step; by default 0.05 times the flow's time scale, 1/rate of its fastest linear motion, rounded to 1, 2 or 5 times a
        power of ten. Orbits that are not resolved by this step are integrated with steps of ``dt / 8``.
    seed
        Random seed for the deviation vectors.
    method
        An explicit integrator, as in `lyapunov_exponents`.

    Returns
    -------
    Tensor, shape ``(...)``
        The index, from 0 to sqrt(2); NaN for orbits that escape.

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
    Skokos, J. Phys. A 34, 10029 (2001).

    Examples
    --------
    >>> def saddle(t, z):
    ...     return z * z.new_tensor([1.0, -1.0])
    >>> bool(sali(saddle, torch.zeros(2, dtype=torch.float64), time=10.0, dt=0.1) < 1e-7)
    True
    """
    rollout, w = _carried(flow, z0, time, 2, dt, seed, method)
    return rollout.rounded(smallest(w).reshape(rollout.batch))


@keyword_only("dt")
@takes_arrays("z0")
@unrecorded
def gali(
    flow: FlowLike | Map,
    z0: Float[Tensor, "*batch D"],
    time: float,
    k: int,
    *,
    dt: float | None = None,
    seed: int = 0,
    method: str | None = None,
) -> Float[Tensor, "*batch"]:
    r"""Compute the generalized alignment index (GALI) of order k: the volume spanned by k unit deviation vectors.

    .. math:: \mathrm{GALI}_k = \|\hat w_1 \wedge \dots \wedge \hat w_k\| = \prod_i \sigma_i(\hat w_1, \dots, \hat w_k)

    On a regular orbit with N degrees of freedom the index is of order one for k <= N and falls as t^-2(k-N) for larger k. On
    a chaotic orbit it falls exponentially.

    Parameters
    ----------
    flow, z0, time
        As in `sali`.
    k
        Number of deviation vectors, from 2 to D.
    dt, seed, method
        As in `sali`.

    Returns
    -------
    Tensor, shape ``(...)``
        The index at the end of the time, from 0 to 1; NaN for orbits that escape.

    Raises
    ------
    InputError
        For invalid arguments.

    References
    ----------
    Skokos, Bountis, Antonopoulos, Physica D 231, 30 (2007); by singular values: Eur. Phys. J. Special Topics 165, 5 (2008).
    """
    if k < 2:
        raise InputError(f"k must be at least 2, not {k}: an alignment index compares two or more deviation vectors")
    rollout, w = _carried(flow, z0, time, k, dt, seed, method)
    gone = w.isnan().any(-1).any(-1)
    volume = torch.linalg.svdvals(w.masked_fill(gone[:, None, None], 0.0)).prod(-1)
    return rollout.rounded(volume.masked_fill(gone, torch.nan).reshape(rollout.batch))


def smallest(w: Float[Tensor, "n 2 D"]) -> Float[Tensor, " n"]:
    """Return the smaller alignment index of two unit deviation vectors."""
    a, b = w.unbind(-2)
    return torch.minimum((a + b).norm(dim=-1), (a - b).norm(dim=-1))


def advance(
    rollout: Rollout, first: int, steps: int, z: Float[Tensor, "n D"], w: Float[Tensor, "n k D"], scale: Float[Tensor, "n D"]
) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n k D"], Float[Tensor, " n"]]:
    """Return the states and unit deviation vectors after some steps, and the logarithmic growth of the first vector."""
    z, w = carry(rollout, first, steps, z, w, scale)
    return z, _unit(z, w), w[:, 0].norm(dim=-1).double().log()


def _unit(z: Float[Tensor, "n D"], w: Float[Tensor, "n k D"]) -> Float[Tensor, "n k D"]:
    """Normalize the deviation vectors to length one; NaN for orbits that escaped."""
    w = w / w.norm(dim=-1, keepdim=True)
    gone = ~(z.isfinite().all(-1) & w.isfinite().all(-1).all(-1))
    return w.masked_fill(gone[:, None, None], torch.nan)


def _carried(
    flow: FlowLike | Map, z0: Tensor, time: float, k: int, dt: float | None, seed: int, method: str | None
) -> tuple[Rollout, Float[Tensor, "n k D"]]:
    """Return the rollout, and the unit deviation vectors at the end of the time."""
    rollout = Rollout.of(flow, z0, time, dt, method, maps=True)
    ends = deviations(rollout.z, k, seed)
    resolution = resolve(rollout)
    for rows, group in resolution.groups(rollout):
        z, w = group.z, ends[rows]
        if group.compiled is not None:
            counts, _ = lengths_between(np.array([group.steps]), together(group))
            integrator, scale = group.kind(group.flow), resolution.scale[rows]
            stretches = group.dt, counts, np.full(len(counts), -1)
            ends[rows] = group.compiled.carried(integrator, z, w, scale, *stretches, orthogonal=False)[1]
            continue
        for first, steps in between_renormalisations(group.steps, together=together(group)):
            z, w, _ = advance(group, first, steps, z, w, resolution.scale[rows])
        ends[rows] = w
    resolution.warn(rollout, "their alignment indices may be artefacts of the integrator")
    return rollout, ends
