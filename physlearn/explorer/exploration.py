"""An initial state, its true orbit, and its orbits in learned models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
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

TRUTH = "truth"
TOLERANCE = 1e-6  # of implicit steps: finer than a picture shows, in half the time of full precision
ACCURACY = 1e-11  # of a step of the true orbit, which keeps its energy to 1e-6
COARSER = 1e-9  # of a step of the orbit that tells how long the true one is known
KNOWN = 0.01  # largest distance of these two, in units of the spread of the orbit
TIMES = 400  # minimum number of time steps of the true orbit, for a smooth curve


@keyword_only("method", "dt", "time")
@renamed(integrator="method", step="dt")
@dataclass(frozen=True)
class Exploration:
    """A system with one initial state, and trained models with which to forecast its orbit. It is immutable.

    Parameters
    ----------
    system : System
        The system.
    z0 : Tensor, shape (D,)
        The initial state in float64.
    models : mapping of str to Forecaster
        The trained models, by name; by default, none.
    method : str, optional
        The integrator of all models; by default, each model uses its own default.
    time : float, default 20
        Duration of the orbits.
    dt : float, default 0.25
        Time step of the models' orbits.

    Examples
    --------
    >>> import systems
    >>> from dataclasses import replace
    >>> pendulum = systems.get("pendulum")
    >>> here = Exploration(pendulum, torch.tensor([1.0, 0.0], dtype=torch.float64), time=10, dt=0.5)
    >>> there = replace(here, z0=torch.tensor([2.0, 0.0], dtype=torch.float64))
    >>> there.truth().z.shape, f"{there.energy:.3f}"
    (torch.Size([401, 2]), '1.416')
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
        """The energy of the initial state, or None if the system has no Hamiltonian."""
        return float(self.system.hamiltonian(self.z0)) if isinstance(self.system, HamiltonianSystem) else None

    def truth(self) -> Orbit:
        """Return the true orbit, at the models' times and, if these are far apart, at further times between them.

        Returns
        -------
        Orbit
            The true orbit.

        Raises
        ------
        IntegrationError
            If the orbit cannot be integrated.
        """
        return self._integrated_to(ACCURACY)

    def horizon(self, truth: Orbit) -> float:
        """Return the time until which the true orbit is known: a chaotic one depends on rounding errors beyond it.

        Parameters
        ----------
        truth : Orbit
            The true orbit, as `truth` returns it.

        Returns
        -------
        float
            The time until an orbit of lower accuracy differs from it by 0.01 of its spread; at most the duration.
        """
        return float(metrics.valid_prediction_time(self._integrated_to(COARSER), truth, KNOWN))

    def _integrated_to(self, accuracy: float) -> Orbit:
        between = ceil(TIMES / (len(self.t) - 1))
        t = torch.arange((len(self.t) - 1) * between + 1, dtype=torch.float64) * (self.dt / between)
        return self.system.orbit(self.z0, t, rtol=accuracy, atol=accuracy)

    def integrated(self, method: str) -> Orbit:
        """Return the system's own orbit by an integrator with the step ``dt``, to compare the integrator with the truth.

        Parameters
        ----------
        method : str
            Name of the integrator.

        Returns
        -------
        Orbit
            The orbit.

        Raises
        ------
        NotSeparableError, NotHamiltonianError
            If the integrator does not apply to the system.
        ConvergenceError
            If an implicit step has no solution.

        Warns
        -----
        AccuracyWarning
            If the step is so long that the orbit is grossly wrong.
        """
        return integrators.integrate(self.system, self.z0, self.t, method, substeps=1, progress=False)

    def forecast(self, model: str) -> Orbit:
        """Return the orbit of a model from the initial state.

        Parameters
        ----------
        model : str
            Name of the model.

        Returns
        -------
        Orbit
            The orbit.

        Raises
        ------
        NotSeparableError, NotHamiltonianError
            If the integrator does not apply to the model.
        ConvergenceError
            If an implicit step has no solution.
        """
        forecaster, name = self.models[model], self.method_of(model)
        options: dict[str, Any] = {"tolerance": TOLERANCE} if issubclass(integrators.find(name), Implicit) else {}
        with torch.inference_mode():  # a fifth faster than no_grad
            return forecaster.forecast(self.z0, self.t, method=name, substeps=1, progress=False, **options)

    def method_of(self, model: str) -> str:
        """Return the name of the integrator that rolls out a model.

        Parameters
        ----------
        model : str
            Name of the model.

        Returns
        -------
        str
            Name of the integrator.
        """
        return self.method or self.models[model].model.default_method

    integrator_of = renamed_attribute("method_of")

    def orbits(self) -> dict[str, Orbit | str]:
        """Return the true orbit and that of each model.

        Returns
        -------
        dict of str to Orbit or str
            The orbits by name. If an orbit could not be computed, its entry is the error message.
        """
        return {TRUTH: _or_why(self.truth), **{name: _or_why(partial(self.forecast, name)) for name in self.models}}

    def energy_along(self, orbit: Orbit) -> Float[Tensor, " T"] | None:
        """Return the true energy along an orbit of the system or of a model.

        Parameters
        ----------
        orbit : Orbit
            The orbit.

        Returns
        -------
        Tensor, shape (T,), or None
            The energy at each time, or None if the system has no Hamiltonian.
        """
        return self.system.hamiltonian(orbit.z) if isinstance(self.system, HamiltonianSystem) else None


def _or_why(orbit: Callable[[], Orbit]) -> Orbit | str:
    try:
        return orbit()
    except (InputError, IntegrationError) as error:
        return str(error)


def same_times(truth: Orbit, orbit: Orbit) -> Orbit:
    """Return the truth at the times of an orbit, which must be a subset of its own."""
    return truth[..., :: (len(truth.t) - 1) // (len(orbit.t) - 1)]


def distance(orbit: Orbit, truth: Orbit) -> Float[Tensor, " T"]:
    """Return `physlearn.metrics.distance` of an orbit at its own times, which must be a subset of those of the truth."""
    there = same_times(truth, orbit)
    return metrics.distance(replace(orbit, coordinates=there.coordinates, periods=there.periods), there)
