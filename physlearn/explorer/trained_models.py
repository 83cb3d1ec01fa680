"""A store of trained models, in memory and optionally in a folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from threading import Lock

from physlearn import Forecaster
from physlearn.explorer.learning import Learning
from physlearn.explorer.neurons import Neurons
from physlearn.forecasting.simulated import learning_orbits
from physlearn.jobs.digest import digest
from systems import Orbit, System


class Shelf:
    """A store that trains a model when it is first requested, and keeps it.

    The name of a file contains the system, the model, and a digest of everything else that determines the model. Only one
    training runs at a time.

    Parameters
    ----------
    learning : Learning, optional
        How models are trained.
    folder : Path, optional
        Where models are also kept as safetensors files, written by `~physlearn.forecasting.Forecaster.save`; by default, in
        memory only.
    """

    def __init__(self, learning: Learning | None = None, folder: Path | None = None) -> None:
        self.learning = learning or Learning()
        self.folder = folder
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
                self._orbits[system] = learning_orbits(system, self.learning.protocol(system), self.learning.seed)
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
            True if the model is in memory or in the folder.
        """
        name = self._name(system, model, neurons)
        return name in self._models or (self.folder is not None and (self.folder / name).is_file())

    def get(self, system: System, model: str, neurons: Neurons) -> Forecaster:
        """Return a trained model from memory or from the folder, or train it now.

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
            If the model does not fit the system or the activation, or its file contains something else.
        IntegrationError
            If the training diverges.
        """
        name = self._name(system, model, neurons)
        with self._training:
            if name not in self._models:
                self._models[name] = self._from_folder(name) or self._trained(system, model, neurons, name)
            return self._models[name]

    def _from_folder(self, name: str) -> Forecaster | None:
        if self.folder is None or not (self.folder / name).is_file():
            return None
        return Forecaster.load(self.folder / name)

    def _trained(self, system: System, model: str, neurons: Neurons, name: str) -> Forecaster:
        learning = self.learning
        forecaster = Forecaster(model, hidden=learning.hidden, activation=neurons.activation, seed=learning.seed)
        forecaster.fit(*self.orbits(system), epochs=learning.epochs, progress=False)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            forecaster.save(self.folder / name)
        return forecaster

    def _name(self, system: System, model: str, neurons: Neurons) -> str:
        decided = {"parameters": system.parameters, "neurons": neurons.digest, "learning": asdict(self.learning)}
        return f"{system.name}-{model}-{digest(decided)}.safetensors"
