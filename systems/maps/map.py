"""Base class of maps: coordinates, one step, initial states, and orbits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import jacfwd, vmap

from systems.autograd_mode import ordinary, outside_inference, plain, ready
from systems.errors import InputError, IntegrationError
from systems.orbit import Orbit
from systems.parametrized import Parametrized, origin_of
from systems.reference.engine import Engine
from systems.scalars import whole
from systems.size import check_memory
from systems.states import check_states, numbers

if TYPE_CHECKING:
    from systems.compiled.field import ParametrizedField


class Map(Parametrized, ABC):
    """A dynamical system in discrete time, z -> step(z).

    A subclass is a frozen dataclass whose fields are the parameters. A field that is declared as ``float`` must be a finite
    number. The subclass sets ``coordinates`` and implements `step` and `sample`. Maps have a registry of their own, because
    they have no vector field that could be integrated or learned.

    Attributes
    ----------
    name : str
        Name under which the map is registered.
    coordinates : tuple of str
        Names of the coordinates.
    periods : mapping of str to float
        Period of each coordinate that is an angle. Empty by default. `step` returns angles within one period, unless their
        turns are wanted: many iterations of a map that stretches lose the digits within a turn.

    Examples
    --------
    >>> import systems
    >>> logistic = systems.maps.get("logistic", r=2.0)
    >>> logistic.orbit([0.25], 3).z[:, 0].tolist()
    [0.25, 0.375, 0.46875, 0.498046875]
    """

    @abstractmethod
    def step(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the next states.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            The states one iteration later, with the dtype and on the device of the states.
        """

    @abstractmethod
    def sample(self, n: int, *, seed: int = 0) -> Float[Tensor, "n D"]:
        """Draw random initial states.

        Parameters
        ----------
        n : int
            Number of states.
        seed : int, default 0
            Random seed.

        Returns
        -------
        Tensor, shape ``(n, D)``
            States in float64.
        """

    @outside_inference
    def jacobian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D D"]:
        """Return the tangent map, by forward-mode differentiation of `step`.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D, D)``
            The derivative of each coordinate of the next state (row) by each coordinate of the state (column).
        """
        check_states(z, self.coordinates)
        ready()
        flat: Tensor = vmap(jacfwd(self.step))(z.reshape(-1, self.dim))
        return flat.reshape(*z.shape, self.dim)

    def orbit(self, z0: Float[Tensor, "*batch D"], steps: int, *, engine: Engine = "auto") -> Orbit:
        """Iterate the map from z0, in float64.

        The step is traced once and compiled, and orbits are iterated side by side. A step that cannot be traced, because it
        branches on the values of tensors or computes outside of torch, is called as it is, which is slower.

        Parameters
        ----------
        z0 : shape ``(..., D)``
            Initial states.
        steps : int
            Number of iterations, at least 0.
        engine : {"auto", "compiled", "torch"}, default "auto"
            Whether the step is compiled. ``"auto"`` compiles it where that is possible. The provenance records which engine
            ran.

        Returns
        -------
        Orbit
            States at the times 0, 1, ..., ``steps``.

        Raises
        ------
        InputError
            If states have the wrong dimension or are not finite, if ``steps`` is negative or not a whole number, or if the
            engine does not apply.
        IntegrationError
            If an orbit diverges. The message names the orbit and the iteration.
        """
        z0 = numbers(z0, "states").detach()
        check_states(z0, self.coordinates)
        if whole("steps", steps) < 0:
            raise InputError(f"steps must be at least 0, not {steps}")
        check_memory(z0.numel() * (steps + 1), "the orbits from these states with this many iterations")
        with ordinary(), torch.no_grad():
            flat = plain(z0).double().reshape(-1, self.dim)
            field = self._compiled(engine, flat, steps)
            z = _by_torch(self.step, flat, steps) if field is None else _by_compiled_code(field, flat, steps)
        lost = ~z.isfinite().all(-1)
        if lost.any():
            orbit = int(lost.any(1).nonzero()[0])
            where, when = [round(x, 6) for x in flat[orbit].tolist()], int(lost[orbit].nonzero()[0])
            raise IntegrationError(
                f"orbit {orbit} from z0 = {where} diverges at iteration {when}; start closer to the attractor, or iterate less"
            )
        return Orbit(
            t=torch.arange(steps + 1, dtype=torch.float64, device=z.device),
            z=z.reshape(*z0.shape[:-1], steps + 1, self.dim),
            coordinates=self.coordinates,
            provenance={
                **origin_of(self),
                "engine": "torch" if field is None else "compiled",
            },
            periods=self.periods,
        )

    def _compiled(self, engine: Engine, z: Float[Tensor, "n D"], steps: int) -> ParametrizedField | None:
        if engine == "torch" or z.numel() == 0 or steps == 0:
            return None
        from systems.compiled.engine import choose  # imports numba, which is slow
        from systems.compiled.traced import field_of_system, step_of

        return choose(engine, lambda: field_of_system(self, step_of), lambda t, z: self.step(z), z.new_zeros(2), None, z)


def _by_torch(step: Callable[[Tensor], Tensor], z: Float[Tensor, "n D"], steps: int) -> Float[Tensor, "n T D"]:
    states = [z]
    for _ in range(steps):
        states.append(z := step(z))
    return torch.stack(states, dim=1)


def _by_compiled_code(field: ParametrizedField, z: Float[Tensor, "n D"], steps: int) -> Float[Tensor, "n T D"]:
    from systems.compiled import stepping

    grid = stepping.Grid(np.arange(steps + 1.0), np.ones(steps, dtype=np.int64), 0.0, None, 1)
    return torch.from_numpy(stepping.integrate(stepping.Explicit("MAP"), field, z.numpy(), grid)[0])
