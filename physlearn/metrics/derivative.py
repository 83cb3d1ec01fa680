"""The derivative loss: the squared error of a flow's rates along an orbit."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow, FlowLike
from physlearn.metrics.match import check_flow, check_orbits
from systems import InputError, Orbit


def derivative_loss(flow: FlowLike, orbit: Orbit, reduction: Literal["mean", "sum"] = "mean") -> Float[Tensor, ""]:
    r"""Return the squared error of dz/dt, averaged over all states, and averaged or summed over the components.

    .. math:: L = \frac1D \sum_i \bigl\langle (f_i(t, z) - \dot z_i)^2 \bigr\rangle

    The loss has the squared units of the rates, so that the components with the largest rates dominate if units differ. The
    losses in the paper (equations 5 and 6) are sums over the components. The mean makes systems of different dimension
    comparable.

    Parameters
    ----------
    flow
        A system, a trained model, or a function ``f(t, z)``.
    orbit
        Orbits with rates. Times at which a state or a rate is NaN were not measured, and do not count.
    reduction
        ``"mean"`` (default) or ``"sum"`` over the components.

    Returns
    -------
    Tensor
        The loss as a scalar in float64; infinite if the flow's rates are not finite.

    Raises
    ------
    InputError
        If the orbit has no rates, none at a time when they were measured, or ``reduction`` is neither of the two.

    Notes
    -----
    Use it to compare models on the quantity that they were trained on. A small loss does not guarantee a good forecast.

    Examples
    --------
    >>> import systems
    >>> oscillator = systems.get("harmonic-oscillator")
    >>> orbit = oscillator.orbit(torch.tensor([1.0, 0.0]), torch.linspace(0, 6, 61))
    >>> wrong = lambda t, z: oscillator.vector_field(t, z) + torch.tensor([0.0, 0.2])
    >>> print(f"{derivative_loss(wrong, orbit):.3f} {derivative_loss(wrong, orbit, reduction='sum'):.3f}")
    0.020 0.040
    """
    check_orbits(orbit)
    check_flow(orbit, flow)
    if orbit.rate is None:
        raise InputError(
            "the orbit has no rates, which the derivative loss needs; orbits of a system and from Orbit.from_csv have them"
        )
    if reduction not in ("mean", "sum"):
        raise InputError(f"reduction must be 'mean' or 'sum', not {reduction!r}")
    seen = Flow.of(flow)
    with torch.no_grad():
        if seen.autonomous:
            rate = seen.field(orbit.t.flatten()[0], orbit.z)
        else:
            rate = torch.stack([seen.field(t, z) for t, z in zip(orbit.common_times, orbit.z.unbind(-2), strict=True)], dim=-2)
        known = ~(orbit.z.isnan() | orbit.rate.isnan()).any(-1)
        squares = (rate - orbit.rate)[known].double().square()  # in some units squares overflow or vanish in float32
    if not len(squares):
        raise InputError("the orbit has no time at which its states and rates were all measured; give one with some")
    loss = squares.mean() if reduction == "mean" else squares.sum(-1).mean()
    return loss.nan_to_num(nan=torch.inf, posinf=torch.inf)
