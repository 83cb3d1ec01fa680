"""How the models of the explorer are trained."""

from __future__ import annotations

from dataclasses import dataclass

from physlearn.forecasting.simulated import Protocol, protocol_of
from systems import System


@dataclass(frozen=True)
class Learning:
    """A training of seconds: so many orbits, over so many epochs.

    orbits: to learn from, of 50 states each; a fifth as many beside them decide which epoch was the best. hidden: the widths
    of the hidden layers. seed: of orbits, initial weights and batches.
    """

    orbits: int = 100
    epochs: int = 60
    hidden: tuple[int, ...] = (100,)
    seed: int = 0

    def protocol(self, system: System) -> Protocol:
        """The system's own protocol of simulation, with this many orbits."""
        return protocol_of(system, training_orbits=self.orbits, validation_orbits=max(1, self.orbits // 5))
