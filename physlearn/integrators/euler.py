"""Explicit Euler."""

from torch import Tensor

from physlearn.integrators.integrator import Integrator


class Euler(Integrator):
    r"""The explicit Euler method of order 1, which the paper uses and which limits its forecasts.

    .. math:: z' = z + \Delta t\, f(t, z)

    It spirals out of every closed orbit: the energy of an oscillator grows by the factor 1 + dt^2 per step.

    Notes
    -----
    Use it only for comparison with published forecasts, and to show what a bad method does.
    """

    name = "euler"
    order = 1
    symplectic = False

    def step(self, t: Tensor, z: Tensor, dt: float) -> Tensor:
        """Take one step from the states z ``(..., D)``."""
        return z + dt * self.flow.field(t, z)
