"""Flow: the common interface through which integrators and metrics see a system, a trained model or a plain function."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Protocol

from torch import Tensor

from systems import InputError
from systems.maps import Map
from systems.reference.time_scale import known_jacobian

Field = Callable[[Tensor, Tensor], Tensor]


class VectorField(Protocol):
    """Anything with a vector field: a system, a trained model, or a Forecaster."""

    def vector_field(self, t: Tensor | float, z: Tensor) -> Tensor:
        """Return dz/dt at time t."""


class Hamiltonian(Protocol):
    """Anything with a Hamiltonian: a Hamiltonian system, a trained model of one, or its Forecaster."""

    @property
    def hamiltonian(self) -> Callable[[Tensor], Tensor]:
        """The energy of each state, ``(..., D)`` to ``(...)``."""


class NotSeparableError(InputError):
    """The method needs H = T(p) + V(q), and the flow is not separable."""


class NotHamiltonianError(InputError):
    """The method needs Hamilton's equations, and the flow has no Hamiltonian."""


@dataclass(frozen=True)
class Flow:
    """A vector field and its known properties.

    Parameters
    ----------
    field
        Vector field, ``(t, z) -> dz/dt``.
    name
        Name, for messages and tables.
    coordinates
        Names of the coordinates.
    hamiltonian
        Hamiltonian, ``z -> energy``, or None.
    velocity, force
        dT/dp and -dV/dq of a separable Hamiltonian, or None.
    autonomous
        Whether the field is known not to depend on t.
    periods
        Period of each coordinate that is an angle.
    period
        Period of the field in time, or None.
    step
        Time step of the grid on which a trained flow was learned, or None.
    source
        What the flow was made of, or None.
    derivative
        Jacobian df_i/dz_j, ``(t, z) -> (..., D, D)``; by default, from automatic differentiation.
    discrete
        Whether the field returns the next states of a map, instead of rates.
    """

    field: Field
    name: str
    coordinates: tuple[str, ...] = ()
    hamiltonian: Callable[[Tensor], Tensor] | None = None
    velocity: Callable[[Tensor], Tensor] | None = None
    force: Callable[[Tensor], Tensor] | None = None
    autonomous: bool = False
    periods: Mapping[str, float] = dataclasses.field(default_factory=dict)
    period: float | None = None
    step: float | None = None
    source: object = dataclasses.field(default=None, compare=False, repr=False)
    derivative: Field | None = None
    discrete: bool = False

    @classmethod
    def of(cls, source: FlowLike | Map) -> Flow:
        """Return the flow of a system, a model, a Forecaster or a function.

        Parameters
        ----------
        source
            A Flow, an object with a ``vector_field`` (system, model, Forecaster), or a function ``f(t, z)``.

        Returns
        -------
        Flow
            The flow; a Flow is returned unchanged.

        Raises
        ------
        InputError
            If ``source`` is a map, which has no vector field, or anything else.
        """
        if isinstance(source, Flow):
            return source
        if isinstance(source, Map):
            raise InputError(f"the map {source.name} has no vector field; iterate it with its method orbit")
        if isinstance(source, type):
            raise InputError(f"class {source.__name__} is not a flow; pass a system, a trained model or a function f(t, z)")
        field = getattr(source, "vector_field", None)
        if field is not None:
            separable = getattr(source, "separable", False)
            return cls(
                field=field,
                name=getattr(source, "name", "") or type(source).__name__,
                coordinates=tuple(getattr(source, "coordinates", ())),
                hamiltonian=getattr(source, "hamiltonian", None),
                velocity=getattr(source, "velocity") if separable else None,  # noqa: B009 - not of every vector field
                force=getattr(source, "force") if separable else None,  # noqa: B009
                autonomous=getattr(source, "autonomous", False),
                periods=getattr(source, "periods", {}),
                period=_number(source, "period"),
                step=_number(source, "step"),
                source=source,
            )
        if callable(source):
            return cls(field=source, name=getattr(source, "__name__", type(source).__name__), source=source)
        raise InputError(f"a {type(source).__name__} is not a flow; pass a system, a trained model or a function f(t, z)")

    @classmethod
    def of_map(cls, source: Map) -> Flow:
        """Return the flow that stands for a map, whose field returns the next states.

        Parameters
        ----------
        source
            The map.

        Returns
        -------
        Flow
            The flow, which is marked as discrete. Only functions that iterate maps accept it.
        """
        return cls(
            field=lambda t, z: source.step(z),
            name=source.name,
            coordinates=source.coordinates,
            autonomous=True,
            periods=source.periods,
            source=source,
            discrete=True,
        )

    def jacobian(self, t: Tensor, z: Tensor) -> Tensor:
        """Return df_i/dz_j, with zeros where it is not finite, or only zeros if the field cannot be differentiated.

        Parameters
        ----------
        t : scalar
            Time.
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D, D)``
            The derivatives.
        """
        return known_jacobian(lambda z: self.field(t, z), z) if self.derivative is None else self.derivative(t, z)

    def require_hamiltonian(self, method: str) -> None:
        """Raise NotHamiltonianError unless the flow has a Hamiltonian.

        Parameters
        ----------
        method
            Name of the method that needs it, for the message.
        """
        if self.hamiltonian is None:
            raise NotHamiltonianError(
                f"{method} needs Hamilton's equations, and {self.name} has no Hamiltonian; use rk4 or gauss-legendre-4"
            )

    def require_separable(self, method: str) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
        """Return the gradients of a separable Hamiltonian H = T(p) + V(q).

        Parameters
        ----------
        method
            Name of the method that needs them, for the message.

        Returns
        -------
        tuple
            The functions velocity(p) and force(q).

        Raises
        ------
        NotSeparableError
            If the Hamiltonian is not separable, or there is none.
        """
        if self.velocity is None or self.force is None:
            raise NotSeparableError(
                f"{method} needs a separable Hamiltonian T(p) + V(q), and {self.name} is not separable; use "
                "implicit-midpoint or gauss-legendre-4, or a separable model"
            )
        return self.velocity, self.force


FlowLike = Flow | VectorField | Field
"""What ``Flow.of`` takes: a flow, a system, a trained model, a Forecaster, or a function ``f(t, z)``."""

HamiltonianLike = Hamiltonian | Callable[[Tensor], Tensor]
"""What energies are measured by: a system, a model or a Forecaster with a Hamiltonian, or a function of z."""


def _number(source: object, name: str) -> float | None:
    """Return a numerical attribute, or None if the attribute is missing or is something else, such as a method."""
    value = getattr(source, name, None)
    return float(value) if isinstance(value, Real) else None
