"""Forecaster: fit a model to orbits, then forecast others."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import activations, models, tensor_file
from physlearn.activations import Activation
from physlearn.activations.description import describe, restore
from physlearn.integrators import integrate
from physlearn.models import Model
from physlearn.models.baselines import LeastSquaresModel
from physlearn.models.build import BASELINES, check_name
from physlearn.models.layers import Layers
from physlearn.training import Pairs, Training
from physlearn.training.single import train_single
from systems import InputError, Orbit
from systems.autograd_mode import outside_inference


class Forecaster:
    """A model that learns a flow from orbits, and rolls it out.

    model: ``"nn"`` (the vector field), ``"hnn"`` (a Hamiltonian), ``"hnn-separable"`` (T(p) + V(q)), ``"hnn-mechanical"``
    (p^2/2 + V(q)), or a baseline, ``"linear"`` or ``"cubic"`` (a polynomial Hamiltonian). hidden: the widths of the hidden
    layers. activation: its name, ``"sine+tanh"`` for a mixture, ``"learned:henon-heiles-hnn"`` for what the package ships as
    learned for a task, or any Activation, such as ``learned.mix``. seed: of initial weights and batches. dtype, device: of
    the training; forecasts are computed in the dtype and on the device of the initial states.

    A forecaster can be given to ``integrate`` and to the metrics as a system can.

    Raises UnknownNameError (a KeyError) for an unknown model or activation.

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
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        check_name(model)
        activations.get(activation)
        describe(activation)
        self.name = model
        self.hidden = tuple(hidden)
        self.activation = activation
        self.seed = seed
        self.dtype = dtype
        self.device = torch.device(device)
        self.coordinates: tuple[str, ...] = ()
        self.training: Training | None = None
        self.step: float | None = None  # median of the training orbits; None before training, and from files without it
        self.history = pd.DataFrame()
        self._model: Model | None = None
        self._copies: dict[tuple[torch.dtype, torch.device], Model] = {}

    def fit(
        self,
        orbits: Orbit | Sequence[Orbit],
        validation: Orbit | Sequence[Orbit] | None = None,
        *,
        epochs: int = Training.epochs,
        progress: bool = True,
        **training: Any,
    ) -> Forecaster:
        """Learn from the states and rates of one or many orbits, from new initial weights; gives itself back.

        validation: other orbits; the weights of the epoch that does best on them are kept. training: ``batch_size``,
        ``learning_rate``, ``schedule``, ``patience`` and ``reduction`` of `physlearn.training.Training`. A baseline is
        solved for at once and takes none of them. ``history`` then holds the losses, a row an epoch.

        Raises InputError for data or settings that cannot be used, IntegrationError where the training diverges.
        """
        if unknown := sorted(set(training) - set(Training.__dataclass_fields__)):
            raise InputError(f"fit has no setting {unknown[0]!r}; it has {', '.join(Training.__dataclass_fields__)}")
        how = Training(epochs=epochs, **training)
        pairs = Pairs.of(orbits)
        held_out = None if validation is None else Pairs.of(validation)
        if held_out is not None and held_out.coordinates != pairs.coordinates:
            raise InputError(f"training has the coordinates {pairs.coordinates}, validation has {held_out.coordinates}")
        model = self._build(pairs.z.shape[-1])
        pairs = pairs.to(self.device, self.dtype)
        if isinstance(model, LeastSquaresModel):
            model.standardize(pairs.z, pairs.rate)
            model.solve(pairs.z, pairs.rate)
            history = pd.DataFrame()
        else:
            held_out = None if held_out is None else held_out.to(self.device, self.dtype)
            history = train_single(model, pairs, held_out, how, self.seed, progress)
        self._adopt(model, pairs.coordinates)
        self.training, self.history = how, history
        self.step = typical_step(orbits)
        return self

    def forecast(
        self,
        z0: Float[Tensor, "*batch D"],
        t: Float[Tensor, " T"],
        integrator: str | None = None,
        *,
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
            Times of the output, strictly increasing or strictly decreasing, with gaps or without: which times are asked for
            does not change the forecast.
        integrator
            Name of the method; by default one that suits the model: rk4 for nn, gauss-legendre-4 for hnn and the baselines,
            yoshida-4 for the separable ones.
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

        Examples
        --------
        >>> import systems
        >>> oscillator = systems.get("harmonic-oscillator")
        >>> f = Forecaster("linear", dtype=torch.float64).fit(oscillator.orbit(oscillator.sample(5), torch.linspace(0, 5, 51)))
        >>> end = f.forecast(torch.tensor([1.0, 0.0]), torch.tensor([0.0, torch.pi])).z[-1]
        >>> print(f"{end[0]:.4f}")
        -1.0000
        """
        model = self.model
        with torch.no_grad():
            method = integrator or model.default_integrator
            return integrate(self, z0, t, method, dt=dt, substeps=substeps, **options)

    @property
    def model(self) -> Model:
        """The trained model, in the dtype and on the device of the training. Raises InputError before ``fit``."""
        if self._model is None:
            raise InputError(f"the forecaster {self.name} has not been trained: call fit first")
        return self._model

    @property
    def parameters(self) -> int:
        """The number of trained weights and biases."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    @property
    def separable(self) -> bool:
        """Whether the learned Hamiltonian is T(p) + V(q)."""
        return self.model.separable

    @outside_inference
    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """dz/dt as learned."""
        return self._model_for(z).vector_field(t, z)

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
        settings = {
            "model": self.name,
            "hidden": self.hidden,
            "activation": describe(self.activation),
            "seed": self.seed,
            "dtype": str(self.dtype).removeprefix("torch."),
            "coordinates": self.coordinates,
            "step": self.step,
            "training": None if self.training is None else asdict(self.training),
            "history": self.history.to_dict("list"),
        }
        tensor_file.write(path, "forecaster", settings, self.model.state_dict())

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Forecaster:
        """Read what ``save`` wrote.

        Raises FileNotFoundError, or InputError for a file that is truncated, changed, or holds something else.
        """
        settings, tensors = tensor_file.read(path, "forecaster")
        with tensor_file.understood(path):
            widths = () if settings["model"] in BASELINES else settings["hidden"]
            most = max([len(settings["coordinates"]), *widths, *_sizes(settings["activation"])])
            if most > (held := max((tensor.numel() for tensor in tensors.values()), default=0)):
                raise InputError(f"{most} numbers of a kind are told of, and the largest tensor holds {held}")
            forecaster = cls(
                settings["model"],
                hidden=settings["hidden"],
                activation=restore(settings["activation"]),
                seed=settings["seed"],
                dtype=getattr(torch, settings["dtype"]),
                device=device,
            )
            coordinates = tuple(settings["coordinates"])
            model = forecaster._build(len(coordinates))
            model.load_state_dict(tensors)
            for network in (part for part in model.modules() if isinstance(part, Layers)):
                forecaster.activation = network.activation  # with the values of its tables
            forecaster._adopt(model, coordinates)
            forecaster.training = Training(**settings["training"])
            forecaster.step = _checked_step(settings.get("step"))
            forecaster.history = pd.DataFrame(settings["history"]).rename_axis("epoch")
        return forecaster

    def __repr__(self) -> str:
        state = f"fitted on {', '.join(self.coordinates)}" if self._model is not None else "not fitted"
        activation = activations.get(self.activation).name
        return f"Forecaster({self.name!r}, hidden={self.hidden}, activation={activation!r}, seed={self.seed}; {state})"

    def _build(self, dim: int) -> Model:
        return models.build(self.name, dim, self.hidden, self.activation, self.seed).to(self.device, self.dtype)

    def _adopt(self, model: Model, coordinates: tuple[str, ...]) -> None:
        self._model = model.eval().requires_grad_(False)
        self.coordinates = coordinates
        self._copies = {}

    def _model_for(self, z: Tensor) -> Model:
        """The model in the dtype and on the device of z, so that physics runs in float64 on weights learned in float32."""
        key = (z.dtype, z.device)
        if key not in self._copies:
            self._copies[key] = copy.deepcopy(self.model).to(device=z.device, dtype=z.dtype)
        return self._copies[key]

    def _part(self, name: str) -> Callable[[Tensor], Tensor]:
        if not hasattr(self.model, name):
            raise AttributeError(f"the model {self.name} has no {name}")
        return outside_inference(lambda x: getattr(self._model_for(x), name)(x))


def typical_step(orbits: Orbit | Sequence[Orbit]) -> float | None:
    """Return the median time step of orbits, None for single times.

    >>> typical_step(Orbit(torch.tensor([0.0, 0.5, 1.0, 9.0]), torch.zeros(4, 2)))
    0.5
    """
    many = [orbits] if isinstance(orbits, Orbit) else orbits
    steps = torch.cat([orbit.t.detach().cpu().double().diff().abs() for orbit in many])
    return float(steps.median()) if len(steps) else None


def _checked_step(given: Any) -> float | None:
    """The step that a file tells. Raises InputError unless it is a positive number, or none."""
    if given is None or (isinstance(given, float | int) and not isinstance(given, bool) and 0 < given < math.inf):
        return given
    raise InputError(f"the step of the training orbits must be a positive number, not {given!r}")


def _sizes(description: Any) -> Iterator[int]:
    """Of the tables of an activation: nobody should need memory for what a file only talks about."""
    if isinstance(description, dict):
        yield from (value for name, value in description.items() if name in ("points", "types", "cells"))
    if isinstance(description, dict | list):
        for part in description.values() if isinstance(description, dict) else description:
            yield from _sizes(part)
