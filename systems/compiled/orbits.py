"""High-accuracy orbits of a compiled field, by the solver that is asked for."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from systems.compiled import adaptive
from systems.compiled.field import ParametrizedField
from systems.compiled.taylor import orbits as taylor
from systems.reference.engine import Engine
from systems.reference.tolerances import tolerances


def orbits(
    field: ParametrizedField,
    z0: Float[Tensor, "*batch D"],
    t: Float[Tensor, " T"],
    rtol: float | None,
    atol: float | None,
    period: float | None,
    engine: Engine = "compiled",
) -> Float[Tensor, "*batch T D"]:
    """Return the orbits that start from z0 at t[0], by DOP853 or by Taylor series, by default accurate to rounding.

    Parameters
    ----------
    field : ParametrizedField
        The field.
    z0 : shape ``(..., D)``
        States at ``t[0]``.
    t : shape ``(T,)``
        Times, increasing or decreasing.
    rtol, atol : float or None
        Tolerances of a step; see `systems.reference.tolerances.tolerances`.
    period : float or None
        Period of the field in time.
    engine : {"compiled", "taylor"}
        The solver: `systems.compiled.adaptive.solve` or `systems.compiled.taylor.orbits.solve`.

    Returns
    -------
    Tensor, shape ``(..., T, D)``
        States at the times, in float64.

    Raises
    ------
    IntegrationError
        If an orbit diverges.
    """
    states, wanted = z0.reshape(-1, z0.shape[-1]), tolerances(engine, rtol, atol)
    if engine == "taylor":
        z = taylor.solve(field, states, t, sum(wanted), period)
    else:
        z = adaptive.solve(field, states, t, *wanted, period)
    return z.reshape(*z0.shape[:-1], len(t), z0.shape[-1])
