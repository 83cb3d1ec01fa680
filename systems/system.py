"""Base classes of dynamical systems: coordinates, a vector field, initial states, and orbits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import ordinary, outside_inference, plain
from systems.deprecation import renamed
from systems.orbit import Orbit
from systems.own_times import at_own_times
from systems.parametrized import Parametrized, origin_of
from systems.periodic import shortest
from systems.reference.engine import Engine
from systems.reference.solvers import Solver, solve
from systems.reference.tolerances import tolerances
from systems.size import check_memory
from systems.states import check_states, check_times, numbers
from systems.time_dependence import among, depends_on_time, error_of_times

if TYPE_CHECKING:
    from systems.compiled.field import ParametrizedField

Symmetry = Callable[[Tensor], Tensor]


class _WithoutPeriod:
    """The default of an attribute, which classes and instances may replace: whether a system has no period."""

    def __get__(self, system: System | None, owner: type[System]) -> bool:
        return system is None or system.period is None


class System(Parametrized, ABC):
    """A dynamical system dz/dt = vector_field(t, z).

    A subclass is a frozen dataclass whose fields are the parameters. A field that is declared as ``float`` must be a finite
    number; a subclass that defines ``__post_init__`` calls that of its base class. The subclass sets ``coordinates`` and
    implements `vector_field` and `sample`.

    A system whose field depends on time overrides ``period`` if the dependence is periodic, and sets ``autonomous`` to False
    if it is not. Its field accepts one time for all states, or one time for each state.

    Attributes
    ----------
    name : str
        Name under which the system is registered.
    coordinates : tuple of str
        Names of the coordinates.
    autonomous : bool
        Whether the vector field does not depend on time. By default, a system without a ``period`` is autonomous.
    canonical : bool
        Whether the coordinates are positions followed by their conjugate momenta. Defaults to False.
    symmetries : tuple of callable
        Linear maps of the state that take orbits to orbits. `systems.testing.check_system` checks them. Empty by default.
    reversals : tuple of callable
        Linear maps of the state that take orbits to orbits run backwards, such as the reversal of all momenta, which are
        checked, too. Empty by default.
    periods : mapping of str to float
        Period of each coordinate that is an angle. Empty by default.
    """

    autonomous: ClassVar[bool] = cast(bool, _WithoutPeriod())  # the vector field does not depend on t
    canonical: ClassVar[bool] = False  # the coordinates are positions and their conjugate momenta
    symmetries: ClassVar[tuple[Symmetry, ...]] = ()
    reversals: ClassVar[tuple[Symmetry, ...]] = ()

    @property
    def period(self) -> float | None:
        """Period in time of the vector field, or None if the field is autonomous or not periodic."""
        return None

    @property
    def surface(self) -> tuple[str, float]:
        """Default surface of section, a coordinate and its value. Unless a system overrides it, the first coordinate at 0."""
        return self.coordinates[0], 0.0

    @abstractmethod
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return dz/dt at time t.

        Parameters
        ----------
        t : scalar or shape ``(...)``
            Time, in the unit of the system.
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            Time derivative of each state, with the dtype and on the device of the states.
        """

    @abstractmethod
    def sample(self, n: int, *, seed: int = 0) -> Float[Tensor, "n D"]:
        """Draw random initial states.

        Subclasses may add keyword arguments.

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

    @renamed(solver="method")
    @at_own_times
    def orbit(
        self,
        z0: Float[Tensor, "*batch D"],
        t: Float[Tensor, " T"],
        *,
        method: Solver | None = None,
        rtol: float | None = None,
        atol: float | None = None,
        engine: Engine = "auto",
    ) -> Orbit:
        """Integrate the orbits that start from z0 at t[0], in float64, with an adaptive solver.

        The vector field is traced once and compiled, and each orbit takes its own steps. A field that cannot be traced,
        because it branches on the values of tensors or computes outside of torch, is called as it is, which is slower.

        Parameters
        ----------
        z0 : shape ``(..., D)``
            Initial states, in the units of the system.
        t : shape ``(T,)`` or ``(..., T)``
            Times, strictly increasing or strictly decreasing; those of all orbits, or those of each. For a driven system,
            t = 0 is the start of the drive, whose phase stays accurate at large times.
        method : {"DOP853", "RK45", "Radau", "BDF", "LSODA", "dopri8"}, optional
            A method of SciPy, or ``"dopri8"`` of torchdiffeq. Defaults to DOP853 on the CPU and to dopri8 on other devices.
            Leave it out for the engine ``"taylor"``, which is a method of its own.
        rtol, atol : float, optional
            Tolerances of a step. The error of a step is at most ``rtol |z_i| + atol s_i`` in each coordinate, where s_i is
            the largest absolute value of the coordinate along the orbit so far, so the accuracy does not depend on units. The
            errors of the steps accumulate along the orbit. The defaults are the smallest tolerances that rounding allows:
            rtol = 0 with atol = 1e-15 for compiled orbits, 2.2e-16 for Taylor series and 4e-15 for DOP853 and dopri8 in torch,
            and 1e-12 each for the other solvers. With them, an orbit of the Kepler problem with eccentricity 0.6 has an error
            of 5e-11 up to t = 200 (32 revolutions), 7e-12 by Taylor series, or 2e-10 in torch. If only one tolerance is given,
            the other is 1e-12.
        engine : {"auto", "compiled", "taylor", "torch"}, default "auto"
            Whether the field is compiled. ``"auto"`` compiles it where that is possible: for DOP853, on the CPU, and for a
            field that can be traced. ``"taylor"`` integrates by Taylor series (extra ``taylor``, which installs heyoka), on
            the CPU, for fields that can be traced and have neither jumps nor kinks; ``"auto"`` never does. The order of the
            series follows from rtol + atol; errors are relative to the sizes that the coordinates have at the start, or to the
            largest coordinate if it grows beyond its size. The steps of a driven system are at most as long as its fastest
            time scale. The provenance records which engine ran.

        Returns
        -------
        Orbit
            States and rates at the times. The provenance records the system, its parameters and the tolerances.

        Raises
        ------
        InputError
            If states have the wrong dimension or are not finite, if times are not sorted, if the method is unknown, or if the
            engine does not apply.
        IntegrationError
            If an orbit diverges, or slides along a jump of the field, as with dry friction at rest. The message names the
            orbit and the time. A jump that the orbit crosses is stepped over.

        Examples
        --------
        >>> import systems
        >>> oscillator = systems.get("harmonic-oscillator")
        >>> orbit = oscillator.orbit(torch.tensor([1.0, 0.0]), torch.tensor([0.0, torch.pi]))
        >>> print(f"{orbit.z[-1, 0]:.9f}")
        -1.000000000
        """
        z0 = numbers(z0, "states").detach()
        t = numbers(t, "times").detach().to(z0.device)
        check_times(t)
        check_states(z0, self.coordinates)
        check_memory(z0.numel() * len(t), "the orbits from these states at these times")
        solver: Solver = method or ("DOP853" if z0.device.type == "cpu" else "dopri8")
        name = "taylor" if engine == "taylor" and method is None else solver
        with ordinary():
            field = self._compiled(engine, name, t, plain(z0))
            ran: Engine = "torch" if field is None else "taylor" if engine == "taylor" else "compiled"
            turns = z0 - shortest(z0, self.periods, self.coordinates)  # an angle of many turns has few digits left within one
            start = z0 - turns
            driven = not self.autonomous or self._driven(field, start, t)
            rtol, atol = tolerances(solver if ran == "torch" else ran, rtol, atol)
            if driven and self.period is None:
                atol = max(atol, self._rounding(start, t))
            if field is None:
                z = turns.unsqueeze(-2) + solve(self.vector_field, start, t, solver, rtol, atol, period=self.period)
                rate = self._rates(t, z)
            else:
                from systems.compiled.orbits import orbits  # imports numba, which is slow

                z = turns.unsqueeze(-2) + orbits(field, start, t, rtol, atol, self.period, ran)
                rate = field.along(z, t, self.period)
        return Orbit(
            t=t,
            z=z,
            rate=rate,
            coordinates=self.coordinates,
            provenance={
                **origin_of(self),
                "autonomous": not driven,
                "solver": {"name": name, "rtol": rtol, "atol": atol},
                "engine": ran,
            },
            periods=self.periods,
        )

    def _compiled(
        self, engine: Engine, method: str, t: Float[Tensor, " T"], z0: Float[Tensor, "*batch D"]
    ) -> ParametrizedField | None:
        """Return the compiled vector field, or None if torch integrates.

        Raises InputError if an engine is asked for that does not apply.
        """
        taylor = engine == "taylor"
        if engine == "torch" or (z0.numel() == 0 and not taylor):
            return None
        from systems.compiled.engine import choose  # imports numba, which is slow
        from systems.compiled.taylor.series import series_of
        from systems.compiled.traced import field_of_system

        def trace() -> ParametrizedField:
            field = field_of_system(self)
            if taylor:
                series_of(field.field)  # now, as it raises an error where there is none
            return field

        if taylor:
            unfit = None if method == "taylor" else f"Taylor series are a method of their own, not {method}"
        else:
            unfit = None if method == "DOP853" else f"compiled orbits are integrated by DOP853, not by {method}"
        states = z0.reshape(-1, self.dim)
        return choose(engine, trace, self.vector_field, t, self.period, states, unfit)

    @outside_inference
    def _driven(self, field: ParametrizedField | None, z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"]) -> bool:
        """Return whether the vector field depends on time at these states, although the system may be declared autonomous."""
        if field is not None and not field.field.driven:
            return False
        return depends_on_time(self.vector_field, z0.reshape(-1, self.dim), among(float(t[0]), float(t[-1])))

    @outside_inference
    def _rounding(self, z0: Float[Tensor, "*batch D"], t: Float[Tensor, " T"]) -> float:
        """Return the relative error of the field because large times are rounded, and warn if it is noticeable."""
        return error_of_times(self.vector_field, z0.reshape(-1, self.dim), among(float(t[0]), float(t[-1])))

    @outside_inference
    def _rates(self, t: Float[Tensor, " T"], z: Float[Tensor, "*batch T D"]) -> Float[Tensor, "*batch T D"]:
        """Return the vector field along orbits, with times reduced modulo its period."""
        times = t if self.period is None else t % self.period
        return torch.stack([self.vector_field(time, state) for time, state in zip(times, z.unbind(-2), strict=True)], -2)
