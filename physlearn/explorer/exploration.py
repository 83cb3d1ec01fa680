"""Exploration: an initial state, its true orbit, and what learned models make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from math import ceil
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import Forecaster, integrators, metrics
from physlearn.integrators.implicit import Implicit
from systems import HamiltonianSystem, InputError, IntegrationError, Orbit, System
from systems.deprecation import keyword_only, renamed, renamed_attribute
from systems.floats import floats
from systems.reference.solvers import solve

TRUTH = "truth"
TOLERANCE = 1e-6  # of an implicit step: less than a picture shows, in half the time that rounding takes
ACCURACY = 1e-7  # of the true orbit, likewise
TIMES = 240  # of the true orbit at least: a smooth curve


@keyword_only("method", "dt", "time")
@renamed(integrator="method", step="dt")
@dataclass(frozen=True)
class Exploration:
    """A system and one initial state, models that have learned it, and how they are rolled out. Nothing of it changes.

    z0: ``(D,)`` in float64. models: forecasters by the name of their model. method: the integrator of all models, or None
    for the one that suits each. time, dt: how long the models' orbits are, and their step.

    >>> import systems
    >>> from dataclasses import replace
    >>> pendulum = systems.get("pendulum")
    >>> here = Exploration(pendulum, torch.tensor([1.0, 0.0], dtype=torch.float64), time=10, dt=0.5)
    >>> there = replace(here, z0=torch.tensor([2.0, 0.0], dtype=torch.float64))
    >>> there.truth().z.shape, f"{there.energy:.3f}"
    (torch.Size([241, 2]), '1.416')
    """

    system: System
    z0: Float[Tensor, " D"]
    models: Mapping[str, Forecaster] = field(default_factory=dict)
    _: KW_ONLY
    method: str | None = None
    time: float = 20.0
    dt: float = 0.25

    integrator, step = renamed_attribute("method"), renamed_attribute("dt")

    def __post_init__(self) -> None:
        object.__setattr__(self, "z0", floats(self.z0, "z0"))

    @property
    def t(self) -> Float[Tensor, " T"]:
        """The times of the models' orbits."""
        return torch.arange(max(1, round(self.time / self.dt)) + 1, dtype=torch.float64) * self.dt

    @property
    def energy(self) -> float | None:
        """H of the initial state; None where there is no Hamiltonian."""
        return float(self.system.hamiltonian(self.z0)) if isinstance(self.system, HamiltonianSystem) else None

    def truth(self) -> Orbit:
        """The orbit of the system itself, at the models' times and, where these are far apart, at more between them.

        Raises IntegrationError where it cannot be followed.
        """
        between = ceil(TIMES / (len(self.t) - 1))
        t = torch.arange((len(self.t) - 1) * between + 1, dtype=torch.float64) * (self.dt / between)
        z = solve(self.system.vector_field, self.z0, t, "DOP853", ACCURACY, ACCURACY)
        return Orbit(t, z, coordinates=self.system.coordinates, periods=self.system.periods)

    def forecast(self, model: str) -> Orbit:
        """The orbit that a model makes of the initial state.

        Raises NotSeparableError or NotHamiltonianError for an integrator that does not apply to it, ConvergenceError where a
        step has no solution.
        """
        forecaster, name = self.models[model], self.method_of(model)
        options: dict[str, Any] = {"tolerance": TOLERANCE} if issubclass(integrators.find(name), Implicit) else {}
        with torch.inference_mode():  # a fifth faster than without gradients alone
            return forecaster.forecast(self.z0, self.t, method=name, progress=False, **options)

    def method_of(self, model: str) -> str:
        """Return the name of the integrator by which a model is rolled out."""
        return self.method or self.models[model].model.default_method

    integrator_of = renamed_attribute("method_of")

    def orbits(self) -> dict[str, Orbit | str]:
        """The true orbit, and that of each model by its name; where there is none, the sentence that says why."""
        return {TRUTH: _or_why(self.truth), **{name: _or_why(lambda name=name: self.forecast(name)) for name in self.models}}

    def energy_along(self, orbit: Orbit) -> Float[Tensor, " T"] | None:
        """The true H of each state of an orbit, whoever made it; None where there is no Hamiltonian."""
        return self.system.hamiltonian(orbit.z) if isinstance(self.system, HamiltonianSystem) else None


def _or_why(orbit: Any) -> Orbit | str:
    try:
        return orbit()
    except (InputError, IntegrationError) as error:
        return str(error)


def distance(orbit: Orbit, truth: Orbit) -> Float[Tensor, " T"]:
    """Return the error of `physlearn.metrics.distance` of an orbit at its own times, which are some of the truth's."""
    between = (len(truth.t) - 1) // (len(orbit.t) - 1)
    there = truth[..., ::between]
    return metrics.distance(replace(orbit, coordinates=there.coordinates, periods=there.periods), there)
