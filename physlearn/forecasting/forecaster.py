"""Forecaster: fit a model to orbits, then forecast others."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import activations, models, tensor_file
from physlearn.activations import Activation
from physlearn.activations.description import describe
from physlearn.forecasting import angles as turning
from physlearn.forecasting import stored
from physlearn.forecasting.learning_data import LearningData, cast_to
from physlearn.forecasting.misfit import warn_of_misfit
from physlearn.integrators import integrate
from physlearn.integrators.steps import checked_step, typical_step
from physlearn.models import Model
from physlearn.models.baselines import LeastSquaresModel
from physlearn.models.build import structure_of
from physlearn.models.layers import Layers
from physlearn.models.physical import PhysicalModel
from physlearn.models.units import Units
from physlearn.training import Training
from physlearn.training.ensemble import train_single
from systems import InputError, Orbit
from systems.autograd_mode import outside_inference, recorded, unrecorded
from systems.deprecation import keyword_only, renamed, renamed_attribute
from systems.floats import takes_arrays
from systems.scalars import seeded, whole


class Forecaster:
    """A model that learns a flow from orbits, and rolls it out.

    A forecaster can be given to ``integrate`` and to the metrics as a system can. It learns the same whatever the units of the
    data are: states, rates and times are standardised in float64 before anything is cast to ``dtype``.

    Parameters
    ----------
    model
        One of ``physlearn.models.names()``; what each learns is told by its class, ``physlearn.models.find(name)``.
    hidden
        The widths of the hidden layers.
    activation
        Its name, ``"sine+tanh"`` for a mixture, ``"learned:henon-heiles-hnn"`` for what the package ships as learned for a
        task, or any Activation, such as ``learned.mix``. The baselines have none.
    angles
        Coordinates whose cosine and sine the networks see in place of the values, so that what they learn is exactly periodic:
        True for every coordinate that has a period in the training orbits, or names. By default none: an angle that only
        swings does without, and trains faster. Baselines, which have no network, refuse angles.
    seed
        Seed of the initial weights and of the batches.
    dtype, device
        Of the training. Forecasts are computed in the dtype and on the device of the initial states.

    Attributes
    ----------
    coordinates, periods
        Of the orbits that it was trained on; the periods are those of coordinates that are angles.
    history : DataFrame, one row per epoch
        ``learning_rate``, and the losses ``training`` and ``validation`` that were minimised and watched: mean squares of the
        errors of dz/dt, each component in units of the spread of its rate (with ``weighted=False``, in those of the data).
        ``training_physical`` and ``validation_physical`` are the same without weights, in the units of the data.

    Raises
    ------
    UnknownNameError
        If there is no such model or activation (a KeyError).
    InputError
        If the seed or a width is not a whole number, or angles are not names, or asked of a baseline.

    Examples
    --------
    >>> import systems
    >>> pendulum = systems.get("pendulum")
    >>> t = torch.linspace(0, 5, 51)
    >>> f = Forecaster("hnn-mechanical", hidden=(20,), seed=0)
    >>> f = f.fit(pendulum.orbit(pendulum.sample(20), t), epochs=20, progress=False)
    >>> f.forecast(pendulum.sample(2, seed=1), t).z.shape
    torch.Size([2, 51, 2])
    """

    autonomous = True

    def __init__(
        self,
        model: str = "hnn",
        *,
        hidden: Sequence[int] = (100,),
        activation: str | Activation = "sine",
        angles: bool | str | Sequence[str] = False,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        models.find(model)
        activations.get(activation)
        describe(activation)
        self.name = model
        self.hidden = tuple(whole("a width in hidden", width) for width in hidden)
        self.activation = activation
        self.angles = turning.checked(angles, model)
        seeded(seed)
        self.seed = whole("seed", seed)
        self.dtype = dtype
        self.device = torch.device(device)
        self.coordinates: tuple[str, ...] = ()
        self.periods: dict[str, float] = {}
        self.training: Training | None = None
        self.step: float | None = None  # median of the training orbits; None before training, and from files without it
        self.history = pd.DataFrame()
        self._model: PhysicalModel | None = None
        self._copies: dict[tuple[torch.dtype, torch.device], PhysicalModel] = {}

    def fit(
        self,
        orbits: Orbit | Sequence[Orbit],
        validation: Orbit | Sequence[Orbit] | None = None,
        *,
        epochs: int = Training.epochs,
        progress: bool = True,
        weighted: bool = True,
        **training: Any,
    ) -> Forecaster:
        """Learn from the states and rates of one or many orbits, starting from new initial weights.

        The caller's autograd mode does not matter.

        Parameters
        ----------
        orbits
            An orbit, a batch of orbits, or a list of either, all of one system.
        validation
            Other orbits; the weights of the epoch with the smallest loss on them are kept.
        epochs
            Passes over the data.
        progress
            Whether to draw a bar.
        weighted
            Whether the error of each component of dz/dt is measured in units of that rate's spread over the training data, so
            that every coordinate counts. If not, all count in the units of the data, as in the paper.
        **training
            The other settings of `physlearn.training.Training`. A baseline is solved for at once and takes none of them.

        Returns
        -------
        Forecaster
            The forecaster itself.

        Raises
        ------
        InputError
            If data or settings cannot be used.
        IntegrationError
            If the training diverges.

        Warns
        -----
        AccuracyWarning
            If the weighted training loss ends above 10, where a constant rate has 1.
        """
        if unknown := sorted(set(training) - set(Training.__dataclass_fields__)):
            raise InputError(f"fit has no setting {unknown[0]!r}; it has {', '.join(Training.__dataclass_fields__)}")
        how = Training(epochs=epochs, weighted=weighted, **training)
        with recorded():
            coordinates = (data := LearningData.of(orbits, validation)).pairs.coordinates
            angles = turning.chosen(self.angles, data.periods, coordinates)
            units, pairs, held_out = data.standardized(structure_of(self.name, len(coordinates)), angles)
            model = self._build(coordinates, data.periods, units)
            history = pd.DataFrame()
            if model.baseline:
                model = cast(LeastSquaresModel, model)
                model.double().standardize(pairs.z, pairs.rate)
                model.solve(pairs.z, pairs.rate, weighted=weighted)
            else:
                held_out = None if held_out is None else cast_to(self.device, self.dtype, held_out)
                history = train_single(model, cast_to(self.device, self.dtype, pairs), held_out, how, self.seed, progress)
            self._adopt(PhysicalModel(model, units), coordinates, data.periods)
        self.training, self.history, self.step = how, history, typical_step(orbits)
        if weighted and len(history):
            warn_of_misfit(self.name, history)
        return self

    @keyword_only("method")
    @renamed(integrator="method")
    @takes_arrays("z0", "t")
    @unrecorded
    def forecast(
        self,
        z0: Float[Tensor, "*batch D"],
        t: Float[Tensor, " T"],
        *,
        method: str | None = None,
        dt: float | None = None,
        substeps: int | None = None,
        **options: Any,
    ) -> Orbit:
        """Return the forecast orbits from z0 at t[0].

        Parameters
        ----------
        z0 : shape ``(..., D)``
            Initial states, in physical units; forecasts have their dtype and device.
        t : shape ``(T,)``
            Times of the output, increasing or decreasing; which times are asked for does not change the forecast.
        method
            Name of the method, one of ``physlearn.integrators.names()``; by default the one that suits the model, its
            ``default_method``.
        dt
            Longest integration step. By default, steps are as long as the median step of the training orbits (``step``), and
            shorter where these make a noticeable error.
        substeps
            Number of steps from each time to the next, instead of ``dt``.
        **options
            Other options of `integrate`.

        Returns
        -------
        Orbit
            States at the times; ``provenance["integrator"]`` tells the steps, what decided them, and their estimated error.

        Raises
        ------
        InputError
            Before ``fit``, and for wrong arguments.
        ConvergenceError
            Where an implicit step has no solution.

        Warns
        -----
        AccuracyWarning
            Where the steps are too long, as `integrate` does.
        """
        model = self.model
        method = method or model.default_method
        turns = model.turns(z0, self.periods, self.coordinates)
        orbit = integrate(self, z0 - turns, t, method, dt=dt, substeps=substeps, **options)
        return replace(orbit, z=orbit.z + turns.unsqueeze(-2))

    @property
    def model(self) -> PhysicalModel:
        """The trained model, in the units of the data, and in the dtype and on the device of the training.

        Raises InputError before ``fit``.
        """
        if self._model is None:
            raise InputError(f"the forecaster {self.name} has not been trained: call fit first")
        return self._model

    @property
    def n_parameters(self) -> int:
        """The number of trained weights and biases."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    parameters = renamed_attribute("n_parameters")

    @property
    def separable(self) -> bool:
        """Whether the learned Hamiltonian is T(p) + V(q)."""
        return self.model.separable

    @takes_arrays("t", "z")
    @outside_inference
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt as learned."""
        return self._model_for(z).part("vector_field", z, t)

    @property
    def hamiltonian(self) -> Callable[[Tensor], Tensor]:
        """The learned energy, up to a constant: ``f.hamiltonian(z)``, ``(..., D)`` to ``(...)``."""
        return self._part("hamiltonian")

    @property
    def velocity(self) -> Callable[[Tensor], Tensor]:
        """dT/dp of a separable model: ``f.velocity(p)``."""
        return self._part("velocity")

    @property
    def force(self) -> Callable[[Tensor], Tensor]:
        """-dV/dq of a separable model: ``f.force(q)``."""
        return self._part("force")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write weights (safetensors) with every setting and the history (JSON in the header) to one file."""
        tensors = self.model.inner.state_dict() | self.model.units.tensors
        tensor_file.write(path, "forecaster", stored.settings_of(self), tensors)

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Forecaster:
        """Read what ``save`` wrote.

        Raises FileNotFoundError, or InputError for a file that is truncated, changed, or holds something else.
        """
        settings, tensors = tensor_file.read(path, "forecaster")
        with tensor_file.understood(path), recorded():
            stored.check(settings, tensors)
            forecaster = cls(**stored.arguments_of(settings), device=device)
            coordinates, periods = tuple(settings["coordinates"]), stored.periods_of(settings, tensors)
            units = Units.take(tensors, len(coordinates))
            model = forecaster._build(coordinates, periods, units)
            model.load_state_dict(tensors)
            for network in (part for part in model.modules() if isinstance(part, Layers)):
                forecaster.activation = network.activation  # with the values of its tables
            forecaster._adopt(PhysicalModel(model, units), coordinates, periods)
            forecaster.training, forecaster.step = Training(**settings["training"]), checked_step(settings.get("step"))
            forecaster.history = pd.DataFrame(settings["history"]).rename_axis("epoch")
        return forecaster

    def __repr__(self) -> str:
        state = f"fitted on {', '.join(self.coordinates)}" if self._model is not None else "not fitted"
        told = f"hidden={self.hidden}, activation={activations.get(self.activation).name!r}"
        told += f", angles={self.angles}" if self.angles else ""
        return f"Forecaster({self.name!r}, {told}, seed={self.seed}; {state})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_copies": {}}

    def _build(self, coordinates: tuple[str, ...], periods: Mapping[str, float], units: Units) -> Model:
        dim, angles = len(coordinates), turning.by_index(self.angles, periods, coordinates, units)
        return models.build(self.name, dim, self.hidden, self.activation, self.seed, angles).to(self.device, self.dtype)

    def _adopt(self, model: PhysicalModel, coordinates: tuple[str, ...], periods: Mapping[str, float]) -> None:
        self._model = model.to(self.device, self.dtype).eval().requires_grad_(False)
        self.coordinates, self.periods = coordinates, dict(periods)
        self._copies = {}

    def _model_for(self, z: Tensor) -> PhysicalModel:
        """The model in the dtype and on the device of z, so that physics runs in float64 on weights learned in float32."""
        key = (z.dtype, z.device)
        if key not in self._copies:
            self._copies[key] = self.model.copied_to(z.device, z.dtype)
        return self._copies[key]

    def _part(self, name: str) -> Callable[[Tensor], Tensor]:
        if not hasattr(self.model, name):
            raise AttributeError(f"the model {self.name} has no {name}")
        return partial(self._evaluate, name)

    @takes_arrays("x")
    @outside_inference
    def _evaluate(self, name: str, x: Tensor) -> Tensor:
        return self._model_for(x).part(name, x)
