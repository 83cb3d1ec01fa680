"""The action of a closed orbit of one degree of freedom."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.interpolate import PPoly
from torch import Tensor

from physlearn.metrics.period import cycles
from physlearn.metrics.spline import splines
from systems import InputError, Orbit

NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)  # exact for p dq/dt, of degree 5 where both are cubics


def action(orbit: Orbit) -> Float[Tensor, "*batch"]:
    r"""The action of an oscillation (q, p), averaged over its whole periods; NaN where there is none.

    .. math:: J = \frac{1}{2\pi} \oint p\, dq

    The area that the orbit encloses in phase space, over :math:`2\pi`: the energy over the frequency, for a harmonic
    oscillator. Along a limit cycle it tells the area all the same. Raises InputError for other than two coordinates.

    >>> t = torch.linspace(0, 20, 201)
    >>> orbit = Orbit(t, torch.stack([3 * t.sin(), 3 * t.cos()], -1))
    >>> print(f"{action(orbit):.4f}")
    4.5000
    """
    if orbit.dim != 2:
        raise InputError(f"the action is that of one degree of freedom, two coordinates, not {orbit.dim}")
    values = [_action(q, p) for q, p in zip(splines(orbit, 0), splines(orbit, 1), strict=True)]
    return torch.tensor(values, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def _action(q: PPoly | None, p: PPoly | None) -> float:
    if q is None or p is None:
        return float("nan")
    starts = cycles(q)
    if len(starts) < 2:
        return float("nan")
    knots = q.x[(q.x > starts[0]) & (q.x < starts[-1])]
    edges = np.concatenate([starts[:1], knots, starts[-1:]])
    half = np.diff(edges)[:, None] / 2
    t = edges[:-1, None] + half * (1 + NODES)
    return float((half * WEIGHTS * p(t) * q(t, 1)).sum() / (2 * np.pi * (len(starts) - 1)))
