"""The classical Runge-Kutta method."""

from torch import Tensor

from physlearn.integrators.integrator import Integrator


class RungeKutta4(Integrator):
    """The classical explicit Runge-Kutta method of order 4, for any flow.

    It suits short orbits and dissipative systems. For a Hamiltonian system the energy drifts linearly in time.

    References
    ----------
    Kutta, Z. Math. Phys. 46, 435 (1901).
    """

    name = "rk4"
    order = 4
    symplectic = False

    def step(self, t: Tensor, z: Tensor, dt: float | Tensor) -> Tensor:
        """Take one step from the states z ``(..., D)``; dt is one number for all, or of shape ``(..., 1)``."""
        field = self.flow.field
        k1 = field(t, z)
        k2 = field(t + dt / 2, z + dt / 2 * k1)
        k3 = field(t + dt / 2, z + dt / 2 * k2)
        k4 = field(t + dt, z + dt * k3)
        return z + dt / 6 * (k1 + 2 * (k2 + k3) + k4)
