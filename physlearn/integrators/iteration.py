"""Iteration of a map, in the form of a method that integrates."""

from torch import Tensor

from physlearn.integrators.integrator import Integrator


class Iteration(Integrator):
    r"""One step of a map, z' = f(z), for a flow that stands for a map.

    It has no entry in the registry, because it integrates nothing: the length of a step is always 1.
    """

    name = "iteration"
    order = 1
    symplectic = False

    def step(self, t: Tensor, z: Tensor, dt: float) -> Tensor:
        """Take one step from the states z ``(..., D)``."""
        return self.flow.field(t, z)
