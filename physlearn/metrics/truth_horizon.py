"""Truth horizon: how long the reference orbit itself can be trusted."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from physlearn.metrics.valid_time import valid_prediction_time
from systems import System


def truth_horizon(
    system: System, z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"], *, threshold: float = 0.01
) -> Float[Tensor, "*batch"]:
    """Return the time until two tight solvers, DOP853 and LSODA, disagree by more than the threshold.

    The disagreement is the error of `valid_prediction_time`, in units of the orbit's spread. On a chaotic orbit the smallest
    rounding grows exponentially; a valid prediction time beyond the horizon means nothing.

    Parameters
    ----------
    system
        Whose orbits are meant.
    z0 : shape ``(..., D)``
        States at t[0].
    t : shape ``(T,)``
        Times at which the solvers are compared.
    threshold
        Disagreement that is tolerated; defaults to 0.01.

    Returns
    -------
    Tensor, shape ``(...)``
        An orbit that is never in doubt gets the length of t.

    Raises
    ------
    InputError, IntegrationError
        As ``system.orbit`` does.

    Examples
    --------
    >>> import systems, torch
    >>> truth_horizon(systems.get("pendulum"), torch.tensor([1.0, 0.0]), torch.linspace(0, 10, 11))
    tensor(10., dtype=torch.float64)
    """
    first, second = (system.orbit(z0.cpu(), t.cpu(), solver=solver) for solver in ("DOP853", "LSODA"))
    return valid_prediction_time(second, first, threshold)
