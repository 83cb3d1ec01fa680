"""Trained models: in memory, optionally in a store, and those that come with the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from physlearn import Forecaster
from physlearn.explorer.learning import Learning
from physlearn.explorer.neurons import Neurons
from physlearn.explorer.shipped import FOLDER
from physlearn.forecasting.environment import environment
from physlearn.jobs.store import Files, Store, name_of
from systems import Orbit, System

FORECASTERS = Files(Forecaster.save, Forecaster.load)

Watch = Callable[[int, Mapping[str, float]], None]


class Shelf:
    """A collection that trains a model when it is first requested, and keeps it.

    The name of a file contains the system, the model, and a digest of everything else that determines the model. A model of
    that name that comes with the package is used as it is. Only one training runs at a time.

    Parameters
    ----------
    learning : Learning, optional
        How models are trained.
    folder : Path, optional
        Where models are also kept as safetensors files, written by `~physlearn.forecasting.Forecaster.save`, each with a seal
        beside it; by default, in memory only. A file without a seal, as version 0.1.0 wrote it, is used as well.
    """

    def __init__(self, learning: Learning | None = None, folder: Path | None = None) -> None:
        self.learning = learning or Learning()
        self.folder = folder
        self._store = None if folder is None else Store(folder, FORECASTERS)
        self._models: dict[str, Forecaster] = {}
        self._orbits: dict[System, tuple[Orbit, Orbit]] = {}
        self._training = Lock()
        self._simulating = Lock()

    def orbits(self, system: System) -> tuple[Orbit, Orbit]:
        """Return the training and validation orbits of a system.

        Parameters
        ----------
        system : System
            The system.

        Returns
        -------
        tuple of two Orbit
            The training orbits, and the validation orbits that determine the best epoch.
        """
        with self._simulating:
            if system not in self._orbits:
                self._orbits[system] = self.learning.data(system)
            return self._orbits[system]

    def has(self, system: System, model: str, neurons: Neurons) -> bool:
        """Return whether a model is already trained.

        Parameters
        ----------
        system : System
            The system.
        model : str
            Name of the kind of model.
        neurons : Neurons
            The activation.

        Returns
        -------
        bool
            True if the model is in memory, in the folder or in the package.
        """
        name = self.name(system, model, neurons)
        kept = self._store is not None and (self._store.has(name) or self._unsealed(name))
        return name in self._models or kept or (FOLDER / name).is_file()

    def get(self, system: System, model: str, neurons: Neurons) -> Forecaster:
        """Return a trained model from memory, from the folder or from the package, or train it now.

        Parameters
        ----------
        system : System
            The system.
        model : str
            Name of the kind of model.
        neurons : Neurons
            The activation.

        Returns
        -------
        Forecaster
            The trained model.

        Raises
        ------
        InputError
            If the model does not fit the system or the activation, or a file without a seal contains something else.
        IntegrationError
            If the training diverges.
        """
        name = self.name(system, model, neurons)
        if name not in self._models:  # asked first, so that a training in another thread delays nobody
            with self._training:
                if name not in self._models:
                    self._models[name] = self._kept(name, system, model, neurons)
        return self._models[name]

    def train(self, system: System, model: str, neurons: Neurons, watch: Watch | None = None) -> Forecaster:
        """Train a model even if there is one already, and keep the new one.

        Parameters
        ----------
        system : System
            The system.
        model : str
            Name of the kind of model.
        neurons : Neurons
            The activation.
        watch : callable, optional
            Called after each epoch with its number and the losses. An error that it raises ends the training.

        Returns
        -------
        Forecaster
            The trained model.

        Raises
        ------
        InputError, IntegrationError
            As in `get`.
        """
        name = self.name(system, model, neurons)
        with self._training:
            forecaster = self._models[name] = self._trained(system, model, neurons, watch)
            if self._store is not None:
                self._store.write(name, forecaster, self._settings(system, neurons))
        return forecaster

    def _trained(self, system: System, model: str, neurons: Neurons, watch: Watch | None = None) -> Forecaster:
        learning = self.learning

        def told(epoch: int, row: Mapping[str, float], _: Any) -> None:
            if watch is not None:
                watch(epoch, row)

        forecaster = Forecaster(model, hidden=learning.hidden, activation=neurons.activation, seed=learning.seed)
        how: dict[str, Any] = {} if learning.noise else {"polish": learning.polish}
        return forecaster.fit(*self.orbits(system), epochs=learning.epochs, callbacks=told, progress=False, **how)

    def _kept(self, name: str, system: System, model: str, neurons: Neurons) -> Forecaster:
        """Return a model from the package or the store, which receives it if needed, or train it if there is no store."""
        if (FOLDER / name).is_file():
            return Forecaster.load(FOLDER / name)
        make = partial(self._trained, system, model, neurons)
        if self._store is None:
            return make()
        if self._unsealed(name):
            make = partial(Forecaster.load, self._store.folder / name)
        return self._store.get(name, self._settings(system, neurons), make)

    def _unsealed(self, name: str) -> bool:
        """Return whether version 0.1.0 wrote the file of a model, whose checksum is in the file alone."""
        file = None if self.folder is None else self.folder / name
        return file is not None and file.is_file() and not file.with_name(f"{name}.seal").exists()

    def _settings(self, system: System, neurons: Neurons) -> dict[str, Any]:
        return {**self._decisive(system, neurons), **environment()}

    def _decisive(self, system: System, neurons: Neurons) -> dict[str, Any]:
        return {"parameters": system.parameters, "neurons": neurons.digest, "learning": asdict(self.learning)}

    def name(self, system: System, model: str, neurons: Neurons) -> str:
        """Return the name of the file of a model.

        Parameters
        ----------
        system, model, neurons
            As in `get`.

        Returns
        -------
        str
            The name.
        """
        return name_of(self._decisive(system, neurons), f"{system.name}-{model}", ".safetensors", length=12)
