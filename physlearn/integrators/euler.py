"""Explicit Euler."""

from torch import Tensor

from physlearn.integrators.integrator import Integrator


class Euler(Integrator):
    r"""Explicit Euler: order 1, the update of the paper, and the limit of its forecasts.

    .. math:: z' = z + \Delta t\, f(t, z)

    Spirals out of every closed orbit: the energy of an oscillator grows by the factor 1 + dt^2 a step. For comparison only.
    """

    name = "euler"
    order = 1
    symplectic = False

    def step(self, t: Tensor, z: Tensor, dt: float) -> Tensor:
        """One step; z: ``(..., D)``."""
        return z + dt * self.flow.field(t, z)
