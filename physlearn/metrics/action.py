"""The action of a closed orbit of one degree of freedom."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.interpolate import PPoly
from torch import Tensor

from physlearn.metrics.cycles import stretches
from physlearn.metrics.match import check_orbits
from physlearn.metrics.measured import without_holes
from physlearn.metrics.spline import samples, spline
from systems import InputError, Orbit

NODES, WEIGHTS = np.polynomial.legendre.leggauss(3)  # exact for p dq/dt, of degree 5 where both are cubics


def action(orbit: Orbit) -> Float[Tensor, "*batch"]:
    r"""Return the action of an oscillation or a rotation (q, p), averaged over its whole periods.

    .. math:: J = \frac{1}{2\pi} \oint p\, dq

    The action is the area that the orbit encloses in phase space, divided by :math:`2\pi`. For a harmonic oscillator it equals
    the energy divided by the angular frequency. For a limit cycle it is the enclosed area too. Periods that contain a gap are
    ignored, as in `period`.

    Parameters
    ----------
    orbit : states of shape ``(..., T, 2)``
        Orbits, as in `period`.

    Returns
    -------
    Tensor, shape ``(...)``
        Actions; NaN for orbits without a whole period.

    Raises
    ------
    InputError
        If the orbit does not have two coordinates.

    Notes
    -----
    Use it to compare closed orbits of a forecast and of the truth without regard to phase, and as the adiabatic invariant of a
    slowly changing system.

    Examples
    --------
    >>> t = torch.linspace(0, 20, 201)
    >>> orbit = Orbit(t, torch.stack([3 * t.sin(), 3 * t.cos()], -1))
    >>> print(f"{action(orbit):.4f}")
    4.5000
    """
    check_orbits(orbit)
    if orbit.dim != 2:
        raise InputError(f"the action needs one degree of freedom, an orbit with two coordinates, not {orbit.dim}")
    values = []
    for one in without_holes(orbit, 0, 1):
        t, momenta, rate = samples(one, 1)
        area, cycles = 0.0, 0
        for stretch in stretches(one, 0):
            part = stretch.part
            p = spline(t[part], momenta[part], None if rate is None else rate[part])
            if p is not None and len(stretch.starts) > 1:
                area += _area(stretch.curve, p, stretch.starts)
                cycles += len(stretch.starts) - 1
        values.append(area / (2 * np.pi * cycles) if cycles else float("nan"))
    return torch.tensor(values, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def _area(q: PPoly, p: PPoly, starts: NDArray[np.float64]) -> float:
    """Integrate p dq from the first start to the last."""
    knots = q.x[(q.x > starts[0]) & (q.x < starts[-1])]
    edges = np.concatenate([starts[:1], knots, starts[-1:]])
    half = np.diff(edges)[:, None] / 2
    t = edges[:-1, None] + half * (1 + NODES)
    return float((half * WEIGHTS * p(t) * q(t, 1)).sum())
