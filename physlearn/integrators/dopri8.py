"""The adaptive Dormand-Prince method of order 8, from torchdiffeq."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from torch import Tensor

from physlearn.flow import Flow
from physlearn.integrators.integrator import Integrator
from systems import InputError
from systems.reference.solvers import dopri8, standing


class Dopri8(Integrator):
    r"""The adaptive Dormand-Prince 8(7) method, for any flow.

    .. math::
        k_i = f\bigl(t + c_i \Delta t,\; z + \Delta t \sum_{j<i} a_{ij} k_j\bigr), \qquad z' = z + \Delta t \sum_i b_i k_i

    It chooses its steps from the tolerances, and steps end on each of the output times. The method is accurate, but not
    symplectic.

    Parameters
    ----------
    flow
        The flow to integrate.
    rtol, atol
        Relative and absolute tolerance, which hold for each orbit separately; both default to 1e-9.

    Notes
    -----
    Use it for the reference orbit of a flow that is no system of this package, and for orbits whose speed changes much. A
    system's own ``orbit`` is faster and more accurate.

    References
    ----------
    Prince and Dormand, J. Comput. Appl. Math. 7, 67 (1981); solver by torchdiffeq.
    """

    name = "dopri8"
    order = 8
    symplectic = False
    adaptive = True

    def __init__(self, flow: Flow, rtol: float = 1e-9, atol: float = 1e-9) -> None:
        super().__init__(flow)
        if not (0 <= rtol < inf and 0 <= atol < inf and rtol + atol > 0):
            raise InputError(f"rtol and atol must be positive, or one of them zero, not {rtol} and {atol}")
        self.rtol = rtol
        self.atol = atol

    def solve(self, z0: Tensor, t: Tensor, substeps: int | Sequence[int], progress: bool) -> Tensor:
        """Return the states at the times t; ``substeps`` is ignored."""
        if z0.numel() == 0 or len(t) == 1:
            return standing(z0, t)
        flat = z0.reshape(-1, z0.shape[-1])
        states = dopri8(self.flow.field, flat, t.double(), self.rtol, self.atol, self.flow.period)
        return states.reshape(*z0.shape[:-1], len(t), z0.shape[-1])
