"""Forecaster: fit a model to orbits and forecast others."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from physlearn import activations, models
from physlearn.activations import Activation
from physlearn.activations.description import describe
from physlearn.forecasting import angles as turning
from physlearn.forecasting import saved
from physlearn.forecasting.channels import Channels
from physlearn.forecasting.estimator import Estimator
from physlearn.forecasting.fitting import Effort, learn
from physlearn.forecasting.members import Members
from physlearn.forecasting.misfit import warn_of_misfit
from physlearn.forecasting.smoothed import Measured
from physlearn.forecasting.state_losses import LossName
from physlearn.integrators.steps import typical_step
from physlearn.models import Model
from physlearn.models.options import checked
from physlearn.models.units import Units
from physlearn.training import Training
from physlearn.training.state_losses import LONGEST
from systems import InputError, Orbit
from systems.autograd_mode import recorded
from systems.deprecation import renamed_attribute
from systems.scalars import seeded, whole


class Forecaster(Members, Estimator):
    """A model that learns a flow from orbits and forecasts other orbits of the flow.

    ``integrate`` and the metrics accept forecasters as well as systems. The units of the data do not matter: states, rates and
    times are standardised in float64 before they are cast to ``dtype``.

    Parameters
    ----------
    model
        One of ``physlearn.models.names()``; the class ``physlearn.models.find(name)`` documents each model.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, ``"sine+tanh"`` for a mixture, ``"learned:henon-heiles-hnn"`` for the activations that the
        package provides for a task, or an Activation, such as ``learned.mix``. Baselines have no activation.
    angles
        Coordinates whose cosine and sine are the inputs of the networks, so that the model is exactly periodic: True for all
        coordinates that have a period in the training orbits, or names. Defaults to none, because an angle that only swings
        does not need it and trains faster without. Baselines have no network and refuse angles.
    inputs
        Names of coordinates that are given and not forecast, such as a torque; they are linear between the training times.
    parameters
        Names of constants of each run on which the flow depends, such as ``"mu"``: coordinates of the training orbits, or
        entries of ``provenance["parameters"]``, which simulated orbits have.
    seed
        Random seed of the initial weights and of the batches; the members of an ensemble have the seeds that follow.
    members
        Number of networks. With more than one, a forecast is a `BandedOrbit`: the orbit of the member with the smallest loss,
        with bands from the spread of all, which `calibrate` calibrates.
    dtype, device
        Type and device of the training. Forecasts have those of the initial states.
    **options
        Options of the model, such as ``degree=3`` for a polynomial: ``physlearn.models.find(model).options`` has their names
        and defaults.

    Attributes
    ----------
    coordinates, periods
        Coordinates of the training orbits, and the periods of those that are angles.
    loss, loss_reason, loss_method
        The loss by which the model was trained, why, and how a loss of states integrates.
    noise
        Estimated standard deviation of each measured coordinate, if the orbits have no rates or a loss of states was used.
    history : DataFrame, one row per epoch, then one per step of the polish (per 20 steps of L-BFGS)
        ``learning_rate`` (NaN in the polish) and the losses ``training`` and ``validation``: mean squared errors of dz/dt, in
        units of the spread of each rate (with ``weighted=False``, of the data). A loss of states is a mean squared error in
        units of the motion between measured states, after the epochs on rates. ``training_physical`` and
        ``validation_physical`` are the unweighted losses in the units of the data.

    Raises
    ------
    UnknownNameError
        If the model or activation is unknown (a KeyError).
    InputError
        If the seed or a width is not a whole number; if angles, inputs or parameters are not names, or the model takes none;
        or if the model has no such option.

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

    def __init__(
        self,
        model: str = "hnn",
        *,
        hidden: Sequence[int] = (100,),
        activation: str | Activation = "tanh",
        angles: bool | str | Sequence[str] = False,
        inputs: str | Sequence[str] = (),
        parameters: str | Sequence[str] = (),
        seed: int = 0,
        members: int = 1,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> None:
        models.find(model)
        activations.get(activation)
        describe(activation)
        super().__init__(model, dtype, torch.device(device))
        self.options = checked(model, options)
        self.hidden = tuple(whole("a width in hidden", width) for width in hidden)
        self.activation = activation
        self.angles = turning.checked(angles, model)
        self.channels = Channels.of(parameters, inputs, model)
        seeded(seed)
        self.seed = whole("seed", seed)
        self._settings = {
            "model": model,
            "hidden": hidden,
            "activation": activation,
            "angles": angles,
            "inputs": inputs,
            "parameters": parameters,
            "seed": seed,
            "members": members,
            "dtype": dtype,
            "device": device,
            **self.options,
            **options,
        }
        self.n_members = whole("members", members)
        if self.n_members < 1 or (self.n_members > 1 and models.find(model).baseline):
            raise InputError(f"members must be at least 1, and 1 for a baseline, which has no random weights, not {members}")
        self.training: Training | None = None
        self.step: float | None = None  # median step of the training orbits; None before fit, or if the file has none
        self.history = pd.DataFrame()
        self.loss_reason, self.loss_method = "", ""

    def fit(
        self,
        orbits: Orbit | Sequence[Orbit],
        validation: Orbit | Sequence[Orbit] | None = None,
        *,
        epochs: int = Training.epochs,
        loss: LossName | None = None,
        polish: int | None = None,
        progress: bool = True,
        weighted: bool = True,
        **training: Any,
    ) -> Forecaster:
        """Train the model on orbits, starting from new initial weights.

        Orbits without rates, such as measured ones, may have uneven times, noise and holes (NaN). Their states are smoothed by
        splines, whose derivatives the model learns first; the attribute ``noise`` has what is left. A loss of states then
        trains the model on the measured states themselves. The caller's autograd mode does not matter.

        Parameters
        ----------
        orbits
            An orbit, a batch of orbits, or a list of either, all of one system.
        validation
            Other orbits; the weights of the epoch with the smallest loss on them are kept.
        epochs
            Number of passes over the data.
        loss
            ``"derivative"`` compares rates: those of the orbits, or those of the splines. ``"step"`` compares the states that
            steps of an integrator lead to, from each measured state to the next. ``"shooting"`` compares orbits over about a
            turn, whose initial states are learned. ``"weak"`` compares integrals against test functions. The default is
            ``"derivative"`` if all orbits have rates, and ``"step"`` otherwise; the attributes ``loss`` and ``loss_reason``
            tell which, and why.
        polish
            Largest number of steps of second order at the end, in float64. Levenberg-Marquardt polishes one hidden layer on
            rates, by default with one step per 10 epochs; L-BFGS does all else, with one step per 4 epochs, 100 on states, and
            none on rates of splines. Without ``validation``, a tenth of the rates decides which weights are kept.
        progress
            Whether to show a progress bar.
        weighted
            Whether to measure the error of each component of dz/dt in units of the spread of that rate over the training data,
            so that every coordinate contributes. If False, errors have the units of the data, as in the paper.
        **training
            Other settings of `physlearn.training.Training`. Baselines, which are fitted in one step, ignore them.

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
            If the final weighted training loss is above 10 (that of a constant rate is 1), or a loss of states above 0.5 (that
            of states which stay where they are is 1).
        """
        if unknown := sorted(set(training) - set(Training.__dataclass_fields__)):
            raise InputError(f"fit has no setting {unknown[0]!r}: choose from {', '.join(Training.__dataclass_fields__)}")
        how = Training(epochs=epochs, weighted=weighted, **training)
        effort = Effort(how, loss, polish, self.seed, self.n_members, progress)
        with recorded():
            seen = Measured(self.channels.runs(orbits))
            held = None if validation is None else Measured(self.channels.runs(validation))
            ranges = self.channels.ranges(seen.orbits)
            found = learn(self.name, self._build, self.angles, seen, held, effort, (self.device, self.dtype))
            self._adopt(found.models[0], found.coordinates, found.periods)
            self.members = [] if len(found.models) == 1 else [self._settled(model) for model in found.models]
        self.calibration, self.noise, self.given_ranges = None, found.noise, ranges
        self.training, self.history, self.step = how, found.history, typical_step(orbits)
        self.loss, self.loss_reason, self.loss_method = found.choice.name, found.choice.why, found.method
        if self.loss != "derivative":  # measured states may be far apart
            self.step = min(self.step or torch.inf, LONGEST * float(found.models[0].units.time))
        if weighted and len(self.history):
            warn_of_misfit(self.name, self.history, of_states=self.loss != "derivative")
        return self

    parameters = renamed_attribute("n_parameters")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights (safetensors), and the settings and history (JSON in the header) to one file.

        Parameters
        ----------
        path
            File to write.
        """
        saved.write(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str | torch.device = "cpu") -> Forecaster:
        """Read a forecaster from a file that ``save`` wrote.

        Parameters
        ----------
        path
            File to read.
        device
            Device of the forecaster.

        Returns
        -------
        Forecaster
            The trained forecaster.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        InputError
            If the file is truncated, was changed, or has other contents.
        """
        return saved.read(cls, path, device)

    def __repr__(self) -> str:
        state = f"fitted on {', '.join(self.coordinates)}" if self._model is not None else "not fitted"
        shown = {**self.options, "angles": self.angles, "inputs": self.channels.inputs, "parameters": self.channels.parameters}
        told = f"hidden={self.hidden}, activation={activations.get(self.activation).name!r}"
        told += "".join(f", {name}={value!r}" for name, value in shown.items() if value or name in self.options)
        return f"Forecaster({self.name!r}, {told}, seed={self.seed}; {state})"

    def _build(self, coordinates: tuple[str, ...], periods: Mapping[str, float], units: Units, seed: int) -> Model:
        dim, given = len(coordinates), len(self.channels.names)
        angles = turning.by_index(self.angles, periods, coordinates, units)
        model = models.build(self.name, dim, self.hidden, self.activation, seed, angles, given, **self.options)
        return model.to(self.device, self.dtype)
