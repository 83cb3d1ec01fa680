"""Fields: the vector field of a system, or a function ``f(t, z)``, traced once and compiled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems.autograd_mode import ordinary
from systems.compiled.agreement import agree, off
from systems.compiled.derivative import jacobian, with_vectors
from systems.compiled.expression import Expression, needed
from systems.compiled.function import CompiledFunction, Function
from systems.compiled.inlined import Steps
from systems.compiled.operators import UntraceableError

MOST_COLUMNS = 16  # of a Jacobian that is written as expressions
STATES = 8  # at which the compiled field is compared with the field

Flow = Callable[[Tensor, Tensor], Tensor]


class Field(ABC):
    """A vector field for compiled solvers, of the time, the state and its parameters.

    A subclass makes the functions; this class keeps them.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[int, int | None], Function] = {}
        self._tangents: dict[int, Field] = {}

    @property
    @abstractmethod
    def dim(self) -> int:
        """Number of coordinates."""

    @property
    @abstractmethod
    def cost(self) -> int:
        """Approximate number of operations of one evaluation."""

    @property
    def driven(self) -> bool:
        """Whether the field may depend on time."""
        return True

    @property
    def function(self) -> Function:
        """The field, compiled."""
        return self.part(0, None)

    def part(self, begin: int, end: int | None) -> Function:
        """Return the rates of some coordinates, compiled, such as the force of a separable system."""
        if (begin, end) not in self._parts:
            self._parts[begin, end] = self.make(begin, end)
        return self._parts[begin, end]

    def tangent(self, k: int) -> Field:
        """Return the field of a state and k deviation vectors, which move by the derivative of the field.

        Each coordinate of the state is followed by the same coordinate of all vectors.
        """
        if k not in self._tangents:
            self._tangents[k] = self.make_tangent(k)
        return self._tangents[k]

    @cached_property
    def jacobian(self) -> Function:
        """The matrix of the derivatives by the state, in row-major order."""
        return self.make_jacobian()

    def steps(self, kind: str, weights: Sequence[float], lanes: int) -> Steps | None:
        """Return the steps of a method, which may have code of their own, or None if they cannot."""
        return None

    @abstractmethod
    def make(self, begin: int, end: int | None) -> Function:
        """Compile the rates of some coordinates."""

    @abstractmethod
    def make_jacobian(self) -> Function:
        """Compile the derivatives by the state."""

    @abstractmethod
    def make_tangent(self, k: int) -> Field:
        """Return the field of a state and k deviation vectors."""


class TracedField(Field):
    """A vector field that is given by expressions.

    Parameters
    ----------
    rates : list of Expression
        dz/dt.
    variables : list of Expression
        The coordinates of the state.
    """

    def __init__(self, rates: list[Expression], variables: list[Expression]) -> None:
        super().__init__()
        self.rates, self.variables = rates, variables
        self._steps: dict[tuple[str, tuple[float, ...], int], Steps] = {}

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return len(self.variables)

    @cached_property
    def cost(self) -> int:
        """Number of operations of one evaluation."""
        return len(needed(self.rates))

    @cached_property
    def driven(self) -> bool:
        """Whether the field depends on time."""
        return any(one.operation == "variable" and one.arguments[0] == "t" for one in needed(self.rates))

    def make(self, begin: int, end: int | None) -> CompiledFunction:
        """Compile the rates of some coordinates."""
        return CompiledFunction(self.rates[begin:end])

    def steps(self, kind: str, weights: Sequence[float], lanes: int) -> Steps:
        """Return the steps of a method, which may have code of their own."""
        key = kind, tuple(weights), lanes
        return self._steps.setdefault(key, Steps(kind, self.rates, self.variables, weights, lanes))

    def make_jacobian(self) -> Function:
        """Return the derivatives by the state, which are interpreted, as they are called seldom."""
        if self.dim > MOST_COLUMNS:
            return ColumnByColumn(self)
        rows = jacobian(self.rates, self.variables)
        return CompiledFunction([element for row in rows for element in row], interpreted=True)

    def make_tangent(self, k: int) -> TracedField:
        """Return the field of a state and k deviation vectors."""
        return TracedField(*with_vectors(self.rates, self.variables, k))


class ColumnByColumn(Function):
    """The Jacobian of a field of many coordinates, whose own expressions would be too many."""

    def __init__(self, field: TracedField) -> None:
        from systems.compiled.columns import columns

        self.tangent = field.tangent(1).function
        super().__init__(field.dim**2, int(columns.address), np.empty(0))
        self.dim = field.dim

    def arguments(self, parameters: np.ndarray) -> np.ndarray:
        """Return what a solver passes as ``p``."""
        numbers = self.tangent.arguments(parameters)
        head = np.array([self.tangent.address, self.dim, len(numbers)], dtype=np.int64).view(np.float64)
        return np.concatenate([head, numbers])


class ParametrizedField:
    """A field with the numbers that its parameters have."""

    def __init__(self, field: Field, parameters: Sequence[float] = ()) -> None:
        self.field = field
        self.parameters = np.array(parameters, dtype=float)

    def __call__(self, t: float | np.ndarray, z: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D"]:
        """Return dz/dt of some states, at one time or at a time for each."""
        return self.field.function(t, z, self.parameters)

    def jacobian(self, t: float, z: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D D"]:
        """Return the derivatives of dz/dt by some states."""
        return self.field.jacobian(t, z, self.parameters).reshape(len(z), self.field.dim, self.field.dim)

    def along(
        self, z: Float[Tensor, "*batch T D"], t: Float[Tensor, " T"], period: float | None
    ) -> Float[Tensor, "*batch T D"]:
        """Return dz/dt along orbits, with times reduced modulo the period of the field."""
        times = (t if period is None else t % period).expand(z.shape[:-1])
        return torch.from_numpy(self(times.reshape(-1).numpy(), z.reshape(-1, z.shape[-1]).numpy())).reshape(z.shape)

    def tangent(self, k: int) -> ParametrizedField:
        """Return the field of a state and k deviation vectors; see `Field.tangent`."""
        return _WithVectors(self, k)

    def check(self, function: Flow, t: float, z: Float[Tensor, "n D"], later: float | None = None) -> None:
        """Compare with a function: at some states at the time t, and at states near them later, by default at t as well.

        Raises
        ------
        UntraceableError
            If the values differ, because the function computes with something that tracing does not see, or that has
            changed since.
        """
        some = z[:: max(1, len(z) // STATES)][:STATES].detach().cpu().double()
        near = some * off(some.shape)
        with ordinary(), torch.no_grad():
            for time, states in ((t, some), (t if later is None else later, near)):
                wanted = function(torch.tensor(time, dtype=torch.float64), states).detach().double().numpy()
                found = self(time, states.numpy())
                if not agree(found, wanted):
                    raise UntraceableError(
                        "its traced form gives other values: it may use what is not a tensor, or what has changed since"
                    )


class _WithVectors(ParametrizedField):
    """The field of a state and k deviation vectors."""

    def __init__(self, alone: ParametrizedField, k: int) -> None:
        super().__init__(alone.field.tangent(k), alone.parameters.tolist())
        self.alone, self.k = alone, k

    def jacobian(self, t: float, z: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D D"]:
        """Return the derivatives without those of the vectors' rates by the state, which do not change the time scales."""
        return np.kron(self.alone.jacobian(t, np.ascontiguousarray(z[:, :: self.k + 1])), np.eye(self.k + 1))
