"""The classical Runge-Kutta method."""

from torch import Tensor

from physlearn.integrators.integrator import Integrator


class RungeKutta4(Integrator):
    r"""The classical explicit Runge-Kutta method of order 4, for any flow.

    .. math::
        k_1 = f(t, z), \quad k_2 = f(t + \tfrac{\Delta t}2, z + \tfrac{\Delta t}2 k_1), \quad
        k_3 = f(t + \tfrac{\Delta t}2, z + \tfrac{\Delta t}2 k_2), \quad k_4 = f(t + \Delta t, z + \Delta t\, k_3)

    .. math:: z' = z + \tfrac{\Delta t}6 (k_1 + 2 k_2 + 2 k_3 + k_4)

    For a Hamiltonian system the energy drifts linearly in time.

    Notes
    -----
    Use it for vector fields that conserve nothing, such as a learned ``nn`` or a dissipative system, and for short orbits. For
    long orbits of a Hamiltonian, a symplectic method is better.

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
