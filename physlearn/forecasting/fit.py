"""The method ``fit`` of a forecaster, which trains its model or resumes a training."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, cast

import pandas as pd
import torch

from physlearn import models, schema
from physlearn.forecasting import angles as turning
from physlearn.forecasting.beforehand import Beforehand
from physlearn.forecasting.best import choose_best
from physlearn.forecasting.callbacks import Callback, called, listed
from physlearn.forecasting.delays import Delays
from physlearn.forecasting.fitting import Effort, Learned, Task, learn
from physlearn.forecasting.members import Members
from physlearn.forecasting.misfit import warn_of_misfit
from physlearn.forecasting.remembered import INCREMENT, remember
from physlearn.forecasting.smoothed import Measured
from physlearn.forecasting.state_losses import Choice, LossName, again
from physlearn.integrators.steps import typical_step
from physlearn.models import Model
from physlearn.models.best import Best
from physlearn.models.library_model import LibraryModel
from physlearn.models.units import Units
from physlearn.training import Training
from physlearn.training.loss import RateLoss
from physlearn.training.pairs import check_one_origin
from physlearn.training.state_losses import LONGEST
from systems import InputError, Orbit
from systems.autograd_mode import recorded
from systems.units_of_data import agreed_units

if TYPE_CHECKING:
    from physlearn.forecasting.forecaster import Forecaster


class Fit(Members):
    """Base class of `Forecaster`: its training.

    Parameters
    ----------
    name, dtype, device
        As in `LearnedFlow`.
    """

    angles: turning.Choice
    beforehand: Beforehand
    seed: int
    n_members: int
    _settings: dict[str, Any]

    def __init__(self, name: str, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__(name, dtype, device)
        self.training: Training | None = None
        self.history = pd.DataFrame()
        self.loss_reason = ""
        self.comparison = pd.DataFrame()  # of the models from which the best was chosen
        self.origin: dict[str, Any] = {}  # the system of the training orbits and its parameters, as far as they are known

    def fit(
        self,
        orbits: Orbit | Sequence[Orbit],
        validation: Orbit | Sequence[Orbit] | None = None,
        *,
        epochs: int = Training.epochs,
        loss: LossName | RateLoss | None = None,
        polish: int | None = None,
        resume: bool = False,
        callbacks: Callback | Sequence[Callback] = (),
        progress: bool = True,
        weighted: bool = True,
        **training: Any,
    ) -> Self:
        """Train the model on orbits, from new initial weights unless the training resumes.

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
            steps of an integrator lead to, from each measured state to the next. ``"shooting"`` compares orbits over some
            turns, whose initial states are learned. ``"weak"`` compares integrals against test functions. The default is
            ``"derivative"`` if all orbits have rates, ``"shooting"`` for networks with one hidden layer, and otherwise
            ``"step"``; the attributes ``loss`` and ``loss_reason`` tell which, and why. A function of your own takes predicted
            and true rates ``(n, D)``, in units of the spread of each rate (with ``weighted=False``, of the data), and returns
            their loss or that of each of the D components.
        polish
            Largest number of steps of second order at the end, in float64. Levenberg-Marquardt polishes one hidden layer on
            rates, by default with one step per 10 epochs, and on states, with 10 steps for each length of the windows; L-BFGS
            does all else, with one step per 4 epochs, 100 on states, and none on rates of splines, by a loss of your own, or
            with weight decay. Without ``validation``, a tenth of the rates
            decides which weights are kept.
        resume
            Whether the training goes on from the present weights, in the units of the first, for so many more epochs. The
            history continues, and so do the shuffles of the batches; the optimizer and its schedule start anew. By default,
            the loss is that of before, and a loss of states goes on without epochs on rates.
        callbacks
            Functions that are called after each epoch, and each row of a polish, with its number, the entries of the history
            as a dict, and a forecaster with the present weights. The training ends if one of them returns True, and continues
            after False or None; any other result is an error.
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
            If data or settings cannot be used, or if there is nothing to resume.
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
        if models.find(self.name) is Best or (self._settings["model"] == Best.name and not resume):
            settings = {"epochs": epochs, "loss": loss, "polish": polish, "progress": progress, "weighted": weighted}
            return self._choose(orbits, validation, settings | {"resume": resume, "callbacks": callbacks} | training)
        how, watchers = Training(epochs=epochs, weighted=weighted, **training), listed(callbacks)
        earlier = self._earlier() if resume else None
        if earlier is not None and loss is None:
            loss = again(self.loss)
        with recorded():
            runs, others = self.channels.runs(orbits), None if validation is None else self.channels.runs(validation)
            if self.delays is not None:
                if not resume:
                    self.delays = (Delays.of(self._settings["delays"]) or self.delays).fitted(runs)
                runs, others = self.delays.embedded(runs), None if others is None else self.delays.embedded(others)
            seen, held = Measured(runs), None if others is None else Measured(others)
            origins = [self.origin if resume else {}, *(orbit.provenance for orbit in seen.orbits)]
            check_one_origin(origins)
            told: dict[str, Any] = {
                "given_ranges": self.channels.ranges(seen.orbits, self.given_ranges if resume else {}),
                "units": agreed_units(
                    [self.units if resume else {}, *(orbit.units for orbit in (*seen.orbits, *(held.orbits if held else ())))]
                ),
                "prior": self.prior if resume else self.beforehand.prior(seen.orbits),
                "origin": _origin(origins),
                "training": how,
                "step": typical_step(orbits),
            }
            task = Task(self.name, self._build, self.angles, told["prior"], (self.device, self.dtype), earlier)
            watch = self._watch(watchers, told) if watchers else None
            train = partial(remember, self.channels) if models.find(self.name).continues else learn
            found = train(task, seen, held, Effort(how, loss, polish, self.seed, self.n_members, progress, watch))
        self._take(found, told)
        if self.loss not in ("derivative", "own", INCREMENT):  # measured states may be far apart
            self.step = min(self.step or torch.inf, LONGEST * float(self.model.units.time))
        if issubclass(kind := models.find(self.name), LibraryModel):
            self.step = min(self.step or torch.inf, kind.longest_step * float(self.model.units.time))
        if weighted and len(self.history) and self.loss != "own":
            warn_of_misfit(self.name, self.history, of_states=self.loss != "derivative")
        return self

    def _choose(
        self, orbits: Orbit | Sequence[Orbit], validation: Orbit | Sequence[Orbit] | None, settings: Mapping[str, Any]
    ) -> Self:
        """Become the best of several forecasters, which keeps the settings with which this one was created."""
        if settings["resume"]:
            raise InputError("no model has been chosen whose training could resume: call fit without resume first")
        own = self._settings
        found, table = choose_best(cast("Forecaster", self), orbits, validation, settings)
        vars(self).update(vars(found) | {"_settings": own, "comparison": table})
        return self

    def _earlier(self) -> Learned:
        """Return the result of the last training. Raises InputError if there is none that another can resume."""
        if models.find(self.name).baseline or models.find(self.name).continues:
            raise InputError(f"the model {self.name} is fitted in one step, so there is nothing to resume")
        flows = self.members or [self.model]
        return Learned(flows, self.history, self.coordinates, self.periods, Choice("derivative", ""))

    def _take(self, found: Learned, told: Mapping[str, Any]) -> Self:
        """Become the forecaster of what was learned, with attributes that tell how."""
        vars(self).update(told)
        self._adopt(found.models[0], found.coordinates, found.periods)
        self.members = [] if len(found.models) == 1 else [self._settled(model) for model in found.models]
        self.calibration, self.noise, self.history = None, found.noise, found.history
        self.loss, self.loss_reason, self.loss_method = found.choice.name, found.choice.why, found.method
        return self

    def _watch(self, callbacks: Sequence[Callback], told: Mapping[str, Any]) -> Callable[[Learned], bool]:
        """Return the function that calls the callbacks with a forecaster of what has been learned."""

        def watch(found: Learned) -> bool:
            present = copy.copy(self)._take(found, told)
            row = found.history.iloc[-1].dropna().to_dict()
            return called(callbacks, len(found.history) - 1, row, present)

        return watch

    @abstractmethod
    def _build(self, coordinates: tuple[str, ...], periods: Mapping[str, float], units: Units, seed: int) -> Model:
        """Return a new network."""


def _origin(provenances: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the first system that provenances name, and its parameters. Raises InputError if a file could not name it."""
    named = [one for one in provenances if "system" in one]
    if not named:
        return {}
    system = schema.name(named[0]["system"], "the system in the provenance of the orbits")
    return {"system": system, "parameters": named[0].get("parameters", {})}
