"""The chaotic flows of the package dysts as systems: ``systems.get("dysts:Halvorsen")``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import make_dataclass
from dis import get_instructions, hasjabs, hasjrel
from functools import cache, partial
from importlib import resources
from types import CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from systems.errors import UnknownNameError
from systems.extras import require
from systems.registry import DYSTS
from systems.sampling import generator
from systems.system import System

CYCLES = 50.0  # length of the orbit from which initial states are drawn, in cycles
TOLERANCE = 1e-9  # of that orbit; on a chaotic attractor, any of its states will do
FUNCTIONS = ("abs", "cos", "cosh", "exp", "log", "sign", "sin", "sinh", "sqrt", "tan", "tanh")  # of NumPy, which equations use


class DystsFlow(System):
    """A flow of the collection dysts (extra ``dysts``), with its parameters.

    The equations are those of the installed package, evaluated by torch, so that they are batched, compiled and differentiated
    like those of any other system. Delayed flows, and flows with a phase that grows without bound, are left out.

    References
    ----------
    W. Gilpin, "Chaos as an interpretable benchmark for forecasting and data-driven modelling", NeurIPS 2021.
    """

    rule: ClassVar[Callable[..., Sequence[Tensor]]]
    start: ClassVar[tuple[float, ...]]
    cycle: ClassVar[float]
    """Dominant period of the attractor, in the unit of time of the flow."""

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return dz/dt."""
        coordinates = z.unbind(-1)
        rates = type(self).rule(*coordinates, t, *self.parameters.values())
        return torch.stack([rate if isinstance(rate, Tensor) else torch.full_like(coordinates[0], rate) for rate in rates], -1)

    def sample(self, n: int, *, seed: int = 0) -> Float[Tensor, "n D"]:
        """Draw states of the attractor, which are those of one long orbit at random times.

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
        t = CYCLES * self.cycle * torch.rand(n, generator=generator(n, seed), dtype=torch.float64)
        ordered, order = t.sort()
        start, times = torch.tensor(self.start, dtype=torch.float64), torch.cat([torch.zeros(1, dtype=torch.float64), ordered])
        z = self.orbit(start, times, rtol=TOLERANCE).z
        return z[1:][order.argsort()]

    def __reduce__(self) -> tuple[Callable[..., System], tuple[str, dict[str, Any]]]:
        """Pickle the name and the parameters, because the class is made when it is asked for."""
        return _restored, (self.name, self.parameters)


def names() -> list[str]:
    """Return the names of all flows, each with its prefix. Raises MissingExtraError if dysts is not installed."""
    flows = _flows()
    return [DYSTS + name for name, facts in _facts().items() if _fits(getattr(flows, name, None), facts)]


@cache
def find(name: str) -> type[DystsFlow]:
    """Return the class of a flow. Raises UnknownNameError if the name, which has the prefix, is not among `names`."""
    if name not in names():
        raise UnknownNameError.of("no flow of dysts is called", name, names())
    own = name.removeprefix(DYSTS)
    facts = _facts()[own]
    equations = _in_torch(getattr(_flows(), own))
    dim = len(facts["initial_conditions"])
    attributes = {
        "__doc__": f"{facts['description'] or own}\n\n{DystsFlow.__doc__}\n    {facts['citation']}\n",
        "__module__": __name__,
        "name": name,
        "coordinates": equations.__code__.co_varnames[:dim],
        "rule": staticmethod(equations),
        "start": tuple(map(float, facts["initial_conditions"])),
        "cycle": float(facts["period"]),
    }
    parameters = [(key, float, float(facts["parameters"][key])) for key in sorted(facts["parameters"])]
    made: type[DystsFlow] = make_dataclass(own, parameters, bases=(DystsFlow,), namespace=attributes, frozen=True)
    return made


def _restored(name: str, parameters: Mapping[str, float]) -> System:
    return find(name)(**parameters)


def _flows() -> ModuleType:
    return require("dysts.flows", "dysts", "the collection of flows")


@cache
def _facts() -> dict[str, dict[str, Any]]:
    facts: dict[str, dict[str, Any]] = json.loads((resources.files("dysts") / "data/chaotic_attractors.json").read_text())
    return facts


def _fits(flow: Any, facts: Mapping[str, Any]) -> bool:
    """Return whether a flow is an equation of its state, its time and numbers, with the common order of arguments."""
    plain = flow is not None and "rhs" not in vars(flow) and hasattr(flow, "_rhs") and not facts["delay"]
    numbers = all(isinstance(value, float | int) for value in facts["parameters"].values())
    return plain and numbers and not facts["unbounded_indices"] and _traceable(_code(flow).__code__)


def _code(flow: Any) -> FunctionType:
    """Return the Python function of the equations, which numba may have wrapped."""
    function: FunctionType = getattr(flow._rhs, "py_func", flow._rhs)
    return function


def _traceable(code: CodeType) -> bool:
    """Return whether equations use nothing but arithmetic and the known functions, and do not branch."""
    branches = any(step.opcode in (*hasjabs, *hasjrel) for step in get_instructions(code))
    return set(code.co_names) <= {"np", "pi", *FUNCTIONS} and not branches


def _in_torch(flow: Any) -> FunctionType:
    """Return the equations with torch's functions in place of NumPy's."""
    code = _code(flow)
    return FunctionType(code.__code__, {"__builtins__": __builtins__, "np": _numpy(), "abs": abs}, code.__name__)


def _numpy() -> SimpleNamespace:
    """Return what equations use of NumPy. Their arguments are tensors, or numbers if they consist of parameters alone."""

    def either(name: str) -> Callable[[Any], Any]:
        function, double = getattr(torch, name), partial(torch.tensor, dtype=torch.float64)
        return lambda x: function(x) if isinstance(x, Tensor) else function(double(x)).item()

    return SimpleNamespace(pi=math.pi, **{name: either(name) for name in FUNCTIONS})
