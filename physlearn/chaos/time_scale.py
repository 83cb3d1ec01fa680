"""Pace: the time scale of a flow, from which default times and steps follow."""

from __future__ import annotations

from math import floor, log10

from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from systems.reference.time_scale import fastest_rate, known_jacobian

PROBED = 16  # states whose Jacobian is taken
STEP = 0.05  # time scales: the default step
SLACK = 0.9  # so that a rate of exactly one gives a time scale of exactly one


def time_scale(flow: Flow, z: Float[Tensor, "n D"]) -> float:
    r"""Estimate the time scale of a flow, rounded to 1, 2 or 5 times a power of ten.

    .. math:: \tau = 1 / \max_i |\mu_i|, \qquad \mu_i \text{ the eigenvalues of } \partial f / \partial z

    Eigenvalues do not depend on the units of the coordinates. The rounding gives orbits of similar rates the same steps.

    Parameters
    ----------
    flow
        The flow, asked at t = 0.
    z : shape ``(n, D)``
        States, of which at most 16 are looked at; the median of their rates counts.

    Returns
    -------
    float
        The time scale, in the flow's unit of time; 1 where no rate is positive and finite.

    Examples
    --------
    >>> import systems, torch
    >>> time_scale(Flow.of(systems.get("harmonic-oscillator")), torch.zeros(1, 2, dtype=torch.float64))
    1.0
    """
    few = z[:: max(1, len(z) // PROBED)][:PROBED]
    rates = fastest_rate(known_jacobian(lambda x: flow.field(z.new_zeros(()), x), few))
    rates = rates[(rates > 0) & rates.isfinite()]
    if not len(rates):
        return 1.0
    aim = SLACK / float(rates.median())
    decade = floor(log10(aim))
    return next(float(f"{digit}e{decade}") for digit in (1, 2, 5, 10) if float(f"{digit}e{decade}") >= aim * (1 - 1e-12))
