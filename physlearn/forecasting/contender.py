"""Contenders: the models and integrators that forecast the same orbits side by side."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor
from tqdm.auto import tqdm

from physlearn import integrators, models
from physlearn.flow import Flow
from physlearn.forecasting.forecaster import Forecaster
from physlearn.integrators.implicit import Implicit
from physlearn.integrators.steps import fitting
from systems import AccuracyWarning, InputError, Orbit


class Contender(NamedTuple):
    """A model rolled out by an integrator."""

    model: str
    method: str

    @property
    def label(self) -> str:
        """How tables and pictures call it."""
        return f"{self.model} + {self.method}"


LINEUP = (
    Contender("linear", "gauss-legendre-4"),
    Contender("cubic", "gauss-legendre-4"),
    Contender("nn", "euler"),
    Contender("nn", "rk4"),
    Contender("hnn", "euler"),
    Contender("hnn", "gauss-legendre-4"),
    Contender("hnn-separable", "yoshida-4"),
    Contender("hnn-mechanical", "yoshida-4"),
)
DISSIPATIVE = (
    Contender("dissipative-hnn", "gauss-legendre-4"),
    Contender("dissipative-hnn-mechanical", "gauss-legendre-4"),
)


def choose(model: str | None, method: str | None, hamiltonian: bool, *, recorded: bool = False) -> tuple[Contender, ...]:
    """The line-up, or only those of one model, or one model with one integrator.

    hamiltonian: whether the coordinates are positions and momenta; without it, only models apply that do not need them.
    recorded: whether the orbits are of a real thing, which no Hamiltonian fits exactly: the dissipative ones then join. A
    model that is in no line-up, as one of the user's own, is rolled out by its default integrator. Raises
    UnknownNameError for unknown names, InputError for a model that does not apply, NotSeparableError or NotHamiltonianError
    for an integrator that does not, and InputError for one without a model.
    """
    if method is not None:
        integrators.find(method)
    if model is None:
        if method is not None:
            raise InputError(f"--method {method} needs --model: {', '.join(models.names())}")
        usual = (*LINEUP, *(DISSIPATIVE if recorded else ()))
        return tuple(c for c in usual if hamiltonian or not models.find(c.model).needs_momenta())
    found = models.find(model)
    if found.needs_momenta() and not hamiltonian:
        raise InputError(f"the model {model} needs positions and momenta, which this system does not have; take nn")
    if method is not None:
        # a small model of the kind tells before any training whether the integrator applies
        integrators.find(method)(Flow.of(models.build(model, dim=2, hidden=(1,))))
        return (Contender(model, method),)
    return tuple(c for c in LINEUP if c.model == model) or (Contender(model, found.default_method),)


@dataclass(frozen=True)
class Trained:
    """Forecasters by the name of their model, and the seconds that each took."""

    forecasters: Mapping[str, Forecaster]
    seconds: Mapping[str, float] = field(default_factory=dict)


def fit_all(
    contenders: Sequence[Contender],
    orbits: Orbit | Sequence[Orbit],
    validation: Orbit | Sequence[Orbit],
    *,
    progress: bool,
    training: Mapping[str, Any],
    **network: Any,
) -> Trained:
    """Train each model of the contenders once, on the same orbits with the same settings; baselines take no angles."""
    forecasters: dict[str, Forecaster] = {}
    seconds: dict[str, float] = {}
    for name in dict.fromkeys(contender.model for contender in contenders):
        start = time.perf_counter()
        forecaster = Forecaster(name, **network | ({} if models.find(name).takes_angles else {"angles": False}))
        forecasters[name] = forecaster.fit(orbits, validation, progress=progress, **training)
        seconds[name] = time.perf_counter() - start
    return Trained(forecasters, seconds)


def forecast_all(
    contenders: Sequence[Contender], trained: Trained, z0: Tensor, t: Tensor, *, progress: bool
) -> dict[str, Orbit]:
    """Return each contender's forecast from the same initial states.

    All take steps as long as those of the training orbits, which divide the time from one output to the next. An orbit on
    which an implicit step fails is NaN from there on, so that it counts as lost and the others are kept.
    """
    forecasts = {}
    for contender in tqdm(contenders, disable=not progress, desc="forecasting", leave=False):
        lenient = issubclass(integrators.find(contender.method), Implicit)
        options: dict[str, Any] = {"failure": "nan"} if lenient else {}
        forecaster = trained.forecasters[contender.model]
        with warnings.catch_warnings():  # the comparison is of methods, bad ones among them, with the same steps
            warnings.simplefilter("ignore", AccuracyWarning)
            orbit = forecaster.forecast(
                z0, t, method=contender.method, dt=fitting(t, forecaster.step), progress=False, **options
            )
        forecasts[contender.label] = orbit
    return forecasts
