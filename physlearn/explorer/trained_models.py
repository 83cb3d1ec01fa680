"""Shelf: the models that are trained already, in memory and, if wanted, in a folder."""

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
    """Trains a model when it is first asked for, and keeps it.

    folder: where models are kept as safetensors files too, by `Forecaster.save`, for the next time; None: in memory alone.
    A file's name tells the system and the model, and by a digest everything else that decided it. One training runs at a
    time, whoever asks.
    """

    def __init__(self, learning: Learning | None = None, folder: Path | None = None) -> None:
        self.learning = learning or Learning()
        self.folder = folder
        self._models: dict[str, Forecaster] = {}
        self._orbits: dict[System, tuple[Orbit, Orbit]] = {}
        self._training = Lock()
        self._simulating = Lock()

    def orbits(self, system: System) -> tuple[Orbit, Orbit]:
        """Those that the models of the system learn from, and those that decide which epoch was the best."""
        with self._simulating:
            if system not in self._orbits:
                self._orbits[system] = learning_orbits(system, self.learning.protocol(system), self.learning.seed)
            return self._orbits[system]

    def has(self, system: System, model: str, neurons: Neurons) -> bool:
        """Whether the model is there, so that getting it takes no training."""
        name = self._name(system, model, neurons)
        return name in self._models or (self.folder is not None and (self.folder / name).is_file())

    def get(self, system: System, model: str, neurons: Neurons) -> Forecaster:
        """The trained model: from memory, from the folder, or trained now.

        Raises InputError for a model that does not go with the system or the neurons, or a file that holds something else,
        IntegrationError where the training diverges.
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
