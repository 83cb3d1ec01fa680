"""The time scale of a flow, which sets the default times and steps."""

from __future__ import annotations

from math import floor, log10

from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from systems.reference.time_scale import fastest_rate

PROBED = 16  # largest number of states at which the Jacobian is evaluated
STEP = 0.05  # default step in time scales
SLACK = 0.9  # makes a rate of exactly one give a time scale of exactly one


def time_scale(flow: Flow, z: Float[Tensor, "n D"]) -> float:
    r"""Estimate the time scale of a flow, rounded to 1, 2 or 5 times a power of ten.

    .. math:: \tau = 1 / \max_i |\mu_i|, \qquad \mu_i \text{ the eigenvalues of } \partial f / \partial z

    Eigenvalues do not depend on the units of the coordinates. With rounding, orbits with similar rates get the same step.

    Parameters
    ----------
    flow
        The flow, evaluated at t = 0.
    z : shape ``(n, D)``
        States. The median rate of about 16 of them, at most, is used.

    Returns
    -------
    float
        The time scale, in the flow's unit of time; 1 if no rate is positive and finite.

    Examples
    --------
    >>> import systems, torch
    >>> time_scale(Flow.of(systems.get("harmonic-oscillator")), torch.zeros(1, 2, dtype=torch.float64))
    1.0
    """
    few = z[:: max(1, len(z) // PROBED)][:PROBED]
    rates = fastest_rate(flow.jacobian(z.new_zeros(()), few))
    rates = rates[(rates > 0) & rates.isfinite()]
    if not len(rates):
        return 1.0
    aim = SLACK / float(rates.median())
    decade = floor(log10(aim))
    return next(float(f"{digit}e{decade}") for digit in (1, 2, 5, 10) if float(f"{digit}e{decade}") >= aim * (1 - 1e-12))
