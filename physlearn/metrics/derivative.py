"""The derivative loss: how far a flow's rates are from an orbit's."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow, FlowLike
from systems import InputError, Orbit


def derivative_loss(flow: FlowLike, orbit: Orbit, reduction: Literal["mean", "sum"] = "mean") -> Float[Tensor, ""]:
    """Return the mean over all states of the squared error of dz/dt, averaged or summed over the components.

    It is in the squared units of the rates, so that the components with the largest rates decide where units differ.
    The paper's losses (its equations 5 and 6) are sums over the components; the mean allows comparing systems of different
    dimension.

    Parameters
    ----------
    flow
        A system, a trained model, or a function f(t, z).
    orbit
        Orbits with rates.
    reduction
        ``"mean"`` (default) or ``"sum"`` over the components.

    Returns
    -------
    Tensor, a number in float64
        Infinite where the flow's rates are not finite.

    Raises
    ------
    InputError
        For an orbit without rates.

    Examples
    --------
    >>> import systems
    >>> oscillator = systems.get("harmonic-oscillator")
    >>> orbit = oscillator.orbit(torch.tensor([1.0, 0.0]), torch.linspace(0, 6, 61))
    >>> wrong = lambda t, z: oscillator.vector_field(t, z) + torch.tensor([0.0, 0.2])
    >>> print(f"{derivative_loss(wrong, orbit):.3f} {derivative_loss(wrong, orbit, reduction='sum'):.3f}")
    0.020 0.040
    """
    if orbit.rate is None:
        raise InputError(
            "the derivative loss needs an orbit with rates; the orbits of a system and of Orbit.from_csv have them"
        )
    if reduction not in ("mean", "sum"):
        raise InputError(f"reduction must be 'mean' or 'sum', not {reduction!r}")
    seen = Flow.of(flow)
    with torch.no_grad():
        if seen.autonomous:
            rate = seen.field(orbit.t[0], orbit.z)
        else:
            rate = torch.stack([seen.field(t, z) for t, z in zip(orbit.t, orbit.z.unbind(-2), strict=True)], dim=-2)
        squares = (rate - orbit.rate).double().square()  # the squares of small or large units do not fit into float32
    loss = squares.mean() if reduction == "mean" else squares.sum(-1).mean()
    return loss.nan_to_num(nan=torch.inf, posinf=torch.inf)
