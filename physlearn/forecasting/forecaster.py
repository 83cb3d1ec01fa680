"""Forecaster: fit a model to orbits and forecast others."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn import activations, models
from physlearn.activations.description import describe
from physlearn.activations.get import Given
from physlearn.analysis.equations import equations
from physlearn.analysis.formulas import Equations
from physlearn.forecasting import angles as turning
from physlearn.forecasting import saved
from physlearn.forecasting.beforehand import Beforehand
from physlearn.forecasting.channels import Channels
from physlearn.forecasting.delays import Delays
from physlearn.forecasting.denoised import DenoisedOrbit, denoised
from physlearn.forecasting.estimator import Estimator
from physlearn.forecasting.fit import Fit
from physlearn.models import Model
from physlearn.models.options import checked
from physlearn.models.own import OWN, kind_of
from physlearn.models.settings import checked_widths, precision
from physlearn.models.units import Units
from systems import InputError, Orbit, System
from systems.autograd_mode import unrecorded
from systems.brief import Brief, brief
from systems.deprecation import renamed_attribute
from systems.floats import takes_arrays
from systems.scalars import seeded, whole


class Forecaster(Brief, Fit, Estimator):
    """A model that learns a flow from orbits and forecasts other orbits of the flow.

    ``integrate`` and the metrics accept forecasters as well as systems. The units of the data do not matter: states, rates and
    times are standardised in float64 before they are cast to ``dtype``.

    Parameters
    ----------
    model
        One of ``physlearn.models.names()``; the class ``physlearn.models.find(name)`` documents each model. A
        ``torch.nn.Module`` of your own, which is copied, maps states ``(..., D)`` to rates ``(..., D)``, or to energies
        ``(...)`` by a method ``hamiltonian``, both in units in which states and rates are of order one.
        ``"best"`` trains those that apply and becomes the one that forecasts validation orbits best, of which
        ``comparison`` has the figures.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, ``"sine+tanh"`` for a mixture, ``"learned:henon-heiles-hnn"`` for the activations that the
        package provides for a task, ``"trained:combination"`` for a function that trains jointly with the weights, or an
        Activation, such as ``learned.mix``. A list has one for each hidden layer, and a dictionary with ``"position"`` and
        ``"momentum"`` those of the two networks of ``"hnn-separable"``. Baselines have no activation.
    angles
        Coordinates whose cosine and sine are the inputs of the networks, so that the model is exactly periodic: True for all
        coordinates that have a period in the training orbits, or names. Defaults to none, because an angle that only swings
        does not need it and trains faster without. Sparse models treat all coordinates with a period so; the baselines linear
        and cubic refuse angles.
    delays
        For coordinates that do not determine the state, such as one of several: the model sees a delay embedding
        (`systems.recording.delay_embedding`), and forecasts continue a measured past. A number of values of each coordinate, a
        pair (number, lag), or True to choose both from the data. The options of the next-generation reservoir include it.
    inputs
        Names of coordinates that are given and not forecast, such as a torque; they are linear between the training times.
    parameters
        Names of constants of each run on which the flow depends, such as ``"mu"``: coordinates of the training orbits, or
        entries of ``provenance["parameters"]``, which simulated orbits have.
    known
        A part of the flow that is known: a system, or a function ``f(t, z)`` that does not depend on time. The model learns
        the rest, whose Hamiltonian is added to that of the known part if both have one.
    symmetry
        Linear symmetries that the flow has exactly, because the model is averaged over the group that they generate: matrices
        ``(D, D)``, pairs (matrix, -1) of those that reverse time, or True for those of the system of the training orbits.
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
    coordinates, periods, units
        Coordinates of the training orbits, the periods of those that are angles, and the units of those that have one.
    loss, loss_reason, loss_method
        The loss by which the model was trained, why, and how a loss of states integrates.
    noise
        Estimated standard deviation of each measured coordinate, if the orbits have no rates or a loss of states was used.
    history : DataFrame, one row per epoch, then one per step of the polish (per 20 steps of L-BFGS)
        ``learning_rate`` (NaN in the polish) and the losses ``training`` and ``validation``: mean squared errors of dz/dt, in
        units of the spread of each rate (with ``weighted=False``, of the data). A loss of states is a mean squared error in
        units of the motion between measured states, after the epochs on rates; ``horizon`` is then the number of steps of a
        window. ``training_physical`` and ``validation_physical`` are the unweighted losses in the units of the data.
    comparison : DataFrame, one row per model, the best first
        For the model ``"best"``: the ``score`` and median ``error`` of the forecasts of the validation orbits, in units of the
        spread of the true orbit, the ``seconds`` of the training, and the ``failure`` of a model that cannot be trained.

    Raises
    ------
    UnknownNameError
        If the model or activation is unknown (a KeyError).
    InputError
        If the seed or a width is not a whole number; if the weights do not fit in memory; if there is no such device or
        the dtype is no floating-point type of torch; if angles, inputs or parameters are not names, or the model takes none;
        if the model has no such option; or if the known part or a symmetry is not of these kinds.

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
        model: str | nn.Module = "hnn",
        *,
        hidden: Sequence[int] = (100,),
        activation: Given = "tanh",
        angles: bool | str | Sequence[str] = False,
        delays: bool | int | tuple[int, float] | None = False,
        inputs: str | Sequence[str] = (),
        parameters: str | Sequence[str] = (),
        known: System | Callable[..., Tensor] | None = None,
        symmetry: bool | np.ndarray | Tensor | Sequence[object] = False,
        seed: int = 0,
        members: int = 1,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> None:
        self.module = model if isinstance(model, nn.Module) else None
        name = kind_of(model).name if isinstance(model, nn.Module) else model
        found = models.find(name)
        if name in OWN and self.module is None:
            raise InputError(f"the model {name} needs the module itself: Forecaster(module)")
        describe(activation)
        super().__init__(name, *precision(dtype, device))
        if "delays" in found.options:
            options = {"delays": delays or None, **options}
        self.options = checked(name, options)
        self.n_members = whole("members", members)
        if self.n_members < 1:
            raise InputError(f"members must be at least 1, not {members}")
        if self.n_members > 1 and (found.baseline or self.module is not None):
            what = f"the model {name}" if self.module is None else "a module of your own"
            raise InputError(f"members must be 1 for {what}, which has no random weights to vary, not {members}")
        self.hidden = checked_widths(hidden, self.n_members)
        self.activation = activation if isinstance(activation, str) else activations.get(activation)
        self.angles = turning.checked(angles, name)
        self.channels = Channels.of(parameters, inputs, name)
        self.beforehand = Beforehand.of(known, symmetry)
        self.delays = None if "delays" in self.options else Delays.of(delays)
        if self.delays is not None and (found.continues or found.needs_momenta()):
            raise InputError(f"the model {name} takes no delays: use nn, or next-generation-reservoir, or leave them out")
        seeded(seed)
        self.seed = whole("seed", seed)
        self._settings = {
            "model": model,
            "hidden": hidden,
            "activation": activation,
            "angles": angles,
            "delays": delays,
            "inputs": inputs,
            "parameters": parameters,
            "known": known,
            "symmetry": symmetry,
            "seed": seed,
            "members": members,
            "dtype": dtype,
            "device": device,
            **self.options,
            **options,
        }

    def equations(
        self, orbits: Orbit | Sequence[Orbit] | None = None, *, degree: int | None = None, level: float = 0.95
    ) -> Equations:
        """Return the equations that the model has learned; see `physlearn.analysis.equations`.

        Parameters
        ----------
        orbits
            For a network: orbits in the region in which the equations are wanted.
        degree
            For a network: highest degree of the terms.
        level
            Level of the confidence intervals.

        Returns
        -------
        Equations
            The terms, as a table, as SymPy expressions and as LaTeX.

        Raises
        ------
        InputError
            Before ``fit``, or if the model is a network and there are no orbits or the terms explain it badly.
        """
        return equations(self, orbits, degree=degree, level=level)

    @takes_arrays("t")
    @unrecorded
    def denoised(
        self, orbits: Orbit | Sequence[Orbit], t: Float[Tensor, " T"] | None = None
    ) -> DenoisedOrbit | list[DenoisedOrbit]:
        r"""Return the states that the learned flow passes through near measured ones, with their standard errors.

        An iterated Kalman smoother finds the most likely states, given that each measured value has an error, and that the
        flow has a small one from each time to the next. The likelihood of all orbits together determines how large both are.
        Values that were not measured are filled, and long and chaotic orbits are as good as short ones.

        Parameters
        ----------
        orbits
            Measured orbits, at least two values of each coordinate in each. They may be those of the training. Parameters and
            inputs of the forecaster are columns of the orbits, as in ``fit``. Velocities that were derived from positions
            do not count as measured.
        t : shape ``(T,)``, optional
            Output times, within the measured times of each orbit. Defaults to the times of the orbits.

        Returns
        -------
        DenoisedOrbit or list of DenoisedOrbit
            The states, and their standard ``errors``, as one for each given orbit or batch. ``provenance["denoised"]`` has the
            estimated noise. Times before and after all measured values of an orbit are NaN.

        Raises
        ------
        InputError
            Before ``fit``; for a model with memory or with delays; if orbits are too short or have other coordinates; or if t
            is beyond them.

        Notes
        -----
        The errors are those of a linear approximation near the states, for errors of the flow that do not depend on each
        other. They do not know of a flow that is wrong everywhere alike.

        References
        ----------
        Bell, The iterated Kalman smoother as a Gauss-Newton method, SIAM J. Optim. 4, 626 (1994).

        Examples
        --------
        >>> import systems
        >>> pendulum, t = systems.get("pendulum"), torch.linspace(0, 20, 201)
        >>> truth = pendulum.orbit(pendulum.sample(10), t)
        >>> noise = 0.1 * torch.randn(truth.z.shape, generator=torch.Generator().manual_seed(0))
        >>> measured = systems.Orbit(t, truth.z + noise, coordinates=truth.coordinates)
        >>> f = Forecaster("hnn-mechanical", hidden=(20,)).fit(truth, epochs=20, progress=False)
        >>> clean = f.denoised(measured)
        >>> bool((clean.z - truth.z).square().mean().sqrt() < 0.03)
        True
        """
        if self.memory or self.delays is not None:
            raise InputError(
                f"the model {self.name} {'has memory' if self.memory else 'has delays'}, so that its flow is not one of the "
                "measured states: denoise them with another model, such as nn"
            )
        return denoised(self, orbits, t)

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
    def load(
        cls,
        path: str | os.PathLike[str],
        device: str | torch.device = "cpu",
        *,
        module: nn.Module | None = None,
        known: System | Callable[..., Tensor] | None = None,
    ) -> Forecaster:
        """Read a forecaster from a file that ``save`` wrote.

        Parameters
        ----------
        path
            File to read.
        device
            Device of the forecaster.
        module
            A module of the class that was trained, if it is of your own, because files hold no code.
        known
            The known part, if it is a function or a system that is not registered.

        Returns
        -------
        Forecaster
            The trained forecaster.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        InputError
            If the file is truncated, was changed, has other contents, or needs a module or function.
        """
        return saved.read(cls, path, device, module, known)

    def __repr__(self) -> str:
        return self._headline()

    def _headline(self) -> str:
        state = f"fitted on {', '.join(self.coordinates)}" if self._model is not None else "not fitted"
        delays = None if self.delays is None else (self.delays.dim, self.delays.lag)
        channels = {"inputs": self.channels.inputs, "parameters": self.channels.parameters}
        shown = {"delays": delays, **self.options, **self.beforehand.told, "angles": self.angles, **channels}
        what = f"{self.name!r}, hidden={self.hidden}, activation={activations.get(self.activation).name!r}"
        told = what if self.module is None else type(self.module).__name__
        told += "".join(f", {name}={value!r}" for name, value in shown.items() if value or name in self.options)
        return f"Forecaster({told}, seed={self.seed}; {state})"

    def _rows(self) -> dict[str, str]:
        """Return what was learned, for notebooks."""
        last = self.history.iloc[-1].to_dict() if len(self.history) else {}
        known: dict[str, object] = {"weights": self.n_parameters, "loss": self.loss, "last epoch": last}
        return {} if self._model is None else {name: brief(value) for name, value in known.items() if value}

    def _build(self, coordinates: tuple[str, ...], periods: Mapping[str, float], units: Units, seed: int) -> Model:
        dim, given = len(coordinates), len(self.channels.names)
        angles = turning.by_index(self.angles, periods, coordinates, units)
        if self.module is not None:
            return kind_of(self.module)(self.module, dim, given).to(self.device, self.dtype)
        model = models.build(self.name, dim, self.hidden, self.activation, seed, angles, given, **self.options)
        return model.to(self.device, self.dtype)
