"""How the explorer trains its models."""

from __future__ import annotations

from dataclasses import dataclass

from physlearn.forecasting.simulated import Protocol, protocol_of
from systems import System


@dataclass(frozen=True)
class Learning:
    """Settings of a training that takes seconds.

    Parameters
    ----------
    orbits : int, default 100
        Number of training orbits, with 50 states each. A fifth as many validation orbits determine the best epoch.
    epochs : int, default 60
        Number of epochs.
    hidden : tuple of int, default (100,)
        Widths of the hidden layers.
    seed : int, default 0
        Random seed of the orbits, initial weights and batches.
    """

    orbits: int = 100
    epochs: int = 60
    hidden: tuple[int, ...] = (100,)
    seed: int = 0

    def protocol(self, system: System) -> Protocol:
        """Return the simulation protocol of a system, with this number of orbits.

        Parameters
        ----------
        system : System
            The system.

        Returns
        -------
        Protocol
            The protocol.
        """
        return protocol_of(system, training_orbits=self.orbits, validation_orbits=max(1, self.orbits // 5))
