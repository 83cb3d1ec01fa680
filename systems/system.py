"""What a system is: coordinates, a vector field, initial states, and its orbits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from inspect import isfunction, signature
from math import isfinite
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import gradient, ordinary, outside_inference, plain
from systems.deprecation import renamed
from systems.errors import InputError
from systems.floats import takes_arrays
from systems.orbit import Orbit, check_times
from systems.periodic import shortest
from systems.reference.solvers import Solver, solve, tolerances
from systems.size import check_memory

Symmetry = Callable[[Tensor], Tensor]
STATES = {"z", "q", "p"}  # the names of arguments that are states, or halves of them


class System(ABC):
    """A dynamical system dz/dt = vector_field(t, z).

    A subclass is a frozen dataclass whose fields are the parameters, finite numbers where they are declared as ``float`` (one
    with a ``__post_init__`` of its own calls that of its base). It names its ``coordinates`` and gives
    ``vector_field`` and ``sample``. ``symmetries`` are linear maps of the state that carry orbits to orbits;
    `systems.testing.check_system` holds the system to them. A field that depends on time says so (``autonomous`` is False),
    names the ``period`` of that dependence where there is one, and takes one time for all states, or one for each.
    ``periods`` names the coordinates that are angles, with the period of each.
    """

    name: ClassVar[str] = ""
    coordinates: ClassVar[tuple[str, ...]]
    autonomous: ClassVar[bool] = True  # the vector field does not depend on t
    canonical: ClassVar[bool] = False  # the coordinates are positions and their momenta
    symmetries: ClassVar[tuple[Symmetry, ...]] = ()
    periods: ClassVar[Mapping[str, float]] = {}  # of the coordinates that are angles

    def __init_subclass__(cls, **options: Any) -> None:
        """Have the methods of a system take states as NumPy arrays and lists, too."""
        super().__init_subclass__(**options)
        for name, method in list(vars(cls).items()):
            if isfunction(method) and not name.startswith("_") and STATES & signature(method).parameters.keys():
                setattr(cls, name, takes_arrays(*STATES)(method))

    def __post_init__(self) -> None:
        for parameter in fields(self):  # type: ignore[arg-type]
            value = getattr(self, parameter.name)
            if isinstance(value, np.generic):  # which no file of settings takes
                object.__setattr__(self, parameter.name, value := value.item())
            if parameter.type in ("float", float) and not (isinstance(value, Real) and isfinite(value)):
                raise InputError(f"{parameter.name} of {self.name} must be a finite number, not {value!r}")

    @property
    def dim(self) -> int:
        """D, the number of coordinates."""
        return len(self.coordinates)

    @property
    def period(self) -> float | None:
        """The period of a field that depends on time; None where it does not, or is not periodic in it."""
        return None

    @property
    def surface(self) -> tuple[str, float]:
        """The usual surface of section, a coordinate and its value: the first one at 0 unless the system says otherwise."""
        return self.coordinates[0], 0.0

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters by name: the fields of its dataclass. Raises InputError for a class with others."""
        if not is_dataclass(self):
            if own := sorted(vars(self)):
                what = f"{type(self).__name__} keeps {own[0]!r}, but is no dataclass"
                raise InputError(f"{what}: write @dataclass(frozen=True) above the class")
            return {}
        return {f.name: getattr(self, f.name) for f in fields(self)}

    @abstractmethod
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt at time t."""

    @abstractmethod
    def sample(self, n: int, *, seed: int = 0) -> Float[Tensor, "n D"]:
        """N initial states in float64; systems add arguments of their own."""

    @renamed(solver="method")
    def orbit(
        self,
        z0: Float[Tensor, "*batch D"],
        t: Float[Tensor, " T"],
        *,
        method: Solver | None = None,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> Orbit:
        """Return the orbits from z0 at t[0], in float64, by an adaptive solver.

        Parameters
        ----------
        z0 : shape ``(..., D)``
            Initial states, in the units of the system.
        t : shape ``(T,)``
            Times, strictly increasing or strictly decreasing. Times of a driven system count from t = 0 of the drive, whose
            phase is kept however large they are.
        method
            Name of an adaptive solver: a SciPy method, or ``"dopri8"`` of torchdiffeq; by default DOP853 on the CPU and dopri8
            on other devices.
        rtol, atol
            Tolerances of a step, which errs by at most ``rtol |z_i| + atol s_i`` in each coordinate, where s_i is the largest
            size of the coordinate along the orbit so far: units do not matter. The errors of steps add up along the orbit.
            By default the finest tolerances that rounding allows (rtol = 0, atol = 4e-15 with DOP853 and dopri8, 1e-12 each
            with the other solvers): after 32 revolutions, an orbit of Kepler's problem with eccentricity 0.6 errs by 5e-11.
            If only one is given, the other is 1e-12.

        Returns
        -------
        Orbit
            States and rates at the times, with the system, its parameters and the tolerances in its provenance.

        Raises
        ------
        InputError
            For states of the wrong dimension or not finite, for times that are not sorted, and for an unknown method.
        IntegrationError
            For an orbit that blows up; names the orbit and the time.

        Examples
        --------
        >>> import systems
        >>> oscillator = systems.get("harmonic-oscillator")
        >>> orbit = oscillator.orbit(torch.tensor([1.0, 0.0]), torch.tensor([0.0, torch.pi]))
        >>> print(f"{orbit.z[-1, 0]:.9f}")
        -1.000000000
        """
        z0 = numbers(z0, "states")
        t = numbers(t, "times").to(z0.device)
        check_times(t)
        check_states(z0, self.coordinates)
        check_memory(z0.numel() * len(t), "the orbits from these states at these times")
        method = method or ("DOP853" if z0.device.type == "cpu" else "dopri8")
        with ordinary():
            turns = z0 - shortest(z0, self.periods, self.coordinates)  # an angle of many turns has few digits left within one
            z = turns.unsqueeze(-2) + solve(self.vector_field, z0 - turns, t, method, rtol, atol, period=self.period)
        rtol, atol = tolerances(method, rtol, atol)
        return Orbit(
            t=t,
            z=z,
            rate=self._rates(t, z),
            coordinates=self.coordinates,
            provenance={
                "system": self.name,
                "parameters": self.parameters,
                "autonomous": self.autonomous,
                "solver": {"name": method, "rtol": rtol, "atol": atol},
            },
            periods=self.periods,
        )

    @outside_inference
    def _rates(self, t: Float[Tensor, " T"], z: Float[Tensor, "*batch T D"]) -> Float[Tensor, "*batch T D"]:
        """The field at each time, reduced modulo its period, and the states then."""
        times = t if self.period is None else t % self.period
        return torch.stack([self.vector_field(time, state) for time, state in zip(times, z.unbind(-2), strict=True)], -2)


class HamiltonianSystem(System):
    """A system of Hamilton's equations dq/dt = dH/dp, dp/dt = -dH/dq, with z = (q_1..q_n, p_1..p_n).

    A subclass gives ``hamiltonian``; the vector field is its gradient by automatic differentiation, unless the subclass
    gives that too.
    """

    canonical: ClassVar[bool] = True
    separable: ClassVar[bool] = False

    @abstractmethod
    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """The energy of each state."""

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dH/dp, -dH/dq); H does not depend on t."""
        return symplectic_gradient(self.hamiltonian, z)


class SeparableSystem(HamiltonianSystem):
    """H = T(p) + V(q): explicit symplectic integrators apply.

    A subclass gives ``potential``; ``kinetic`` is p^2/2 unless it says otherwise.
    """

    separable: ClassVar[bool] = True

    def kinetic(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """T(p)."""
        return p.square().sum(-1) / 2

    @abstractmethod
    def potential(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch"]:
        """V(q)."""

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """T(p) + V(q)."""
        q, p = z.chunk(2, dim=-1)
        return self.kinetic(p) + self.potential(q)

    def velocity(self, p: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """dT/dp."""
        return gradient(self.kinetic, p)

    def force(self, q: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """-dV/dq."""
        return -gradient(self.potential, q)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dT/dp, -dV/dq)."""
        q, p = z.chunk(2, dim=-1)
        return torch.cat([self.velocity(p), self.force(q)], dim=-1)


def symplectic_gradient(hamiltonian: Callable[[Tensor], Tensor], z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
    """(dH/dp, -dH/dq). The orbits of a batch do not interact, so the gradient of the sum is all of theirs."""
    return rotate(gradient(hamiltonian, z))


def rotate(slope: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
    """J times a gradient: (dH/dq, dH/dp) to (dH/dp, -dH/dq)."""
    dq, dp = slope.chunk(2, dim=-1)
    return torch.cat([dp, -dq], dim=-1)


def numbers(given: Any, what: str) -> Tensor:
    """What was given, in float64. Raises InputError where it is not made of numbers."""
    try:
        with ordinary():
            return plain(torch.as_tensor(given, dtype=torch.float64))
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{what} must be a tensor, or lists of numbers, not {given!r:.40}") from error


def check_states(z: Tensor, coordinates: tuple[str, ...]) -> None:
    """Raise InputError unless states have the dimension of the coordinates and are finite numbers."""
    if z.ndim == 0 or z.shape[-1] != len(coordinates):
        raise InputError(
            f"states must have {len(coordinates)} coordinates ({', '.join(coordinates)}) on their last axis, "
            f"not the shape {tuple(z.shape)}"
        )
    if not torch.isfinite(z).all():
        raise InputError("initial states must be finite numbers, but some are NaN or infinite")
