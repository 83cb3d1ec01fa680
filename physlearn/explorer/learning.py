"""How the explorer trains its models."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from physlearn.forecasting.simulated import Protocol, learning_orbits, protocol_of
from systems import InputError, Orbit, System
from systems.sampling import generator


@dataclass(frozen=True)
class Learning:
    """Settings of a training that takes seconds.

    Parameters
    ----------
    orbits : int, default 200
        Number of training orbits, with 50 states each. A fifth as many validation orbits determine the best epoch.
    epochs : int, default 200
        Number of epochs.
    hidden : tuple of int, default (100,)
        Widths of the hidden layers.
    seed : int, default 0
        Random seed of the orbits, initial weights, noise and batches.
    polish : int, default 60
        Largest number of steps of second order at the end of the training.
    noise : float, default 0
        Standard deviation of the noise on the states, relative to the standard deviation of each coordinate over the training
        orbits. With noise, the models learn from the states alone, without the true rates.

    Raises
    ------
    InputError
        If there is no orbit, or the noise is negative or 1 or more.
    """

    orbits: int = 200
    epochs: int = 200
    hidden: tuple[int, ...] = (100,)
    seed: int = 0
    polish: int = 60
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.orbits < 1:
            raise InputError(f"orbits={self.orbits} must be at least 1: a model learns from orbits")
        if not 0 <= self.noise < 1:
            raise InputError(f"noise={self.noise:g} must be at least 0 and below 1: it is relative to the spread of the data")

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

    def data(self, system: System) -> tuple[Orbit, Orbit]:
        """Return the training and validation orbits of a system, with noise if there is any.

        Parameters
        ----------
        system : System
            The system.

        Returns
        -------
        tuple of two Orbit
            The training orbits, and the validation orbits that determine the best epoch.
        """
        training, validation = learning_orbits(system, self.protocol(system), self.seed)
        if not self.noise:
            return training, validation
        scale = self.noise * training.z.flatten(0, -2).std(0)
        return _noisy(training, scale, self.seed), _noisy(validation, scale, self.seed + 1)


def _noisy(orbits: Orbit, scale: torch.Tensor, seed: int) -> Orbit:
    """Return orbits with noise on their states and without rates, which would tell the truth."""
    noise = torch.randn(orbits.z.shape, generator=generator(1, seed), dtype=orbits.z.dtype)
    return replace(orbits, z=orbits.z + scale * noise, rate=None)
