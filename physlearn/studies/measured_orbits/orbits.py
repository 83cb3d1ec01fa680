"""The systems of the table, and their measured orbits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch

import systems
from systems import Orbit


@dataclass(frozen=True)
class Protocol:
    """The orbits of one system.

    Parameters
    ----------
    model : str
        The network.
    turn : float
        Time in which the fastest coordinate oscillates once.
    time : float
        Duration of the forecasts.
    training_sample, test_sample : dict
        Arguments of ``System.sample``.
    """

    model: str
    turn: float
    time: float
    training_sample: dict[str, Any] = field(default_factory=dict)
    test_sample: dict[str, Any] = field(default_factory=dict)

    @property
    def hamiltonian(self) -> bool:
        """Whether the network is Hamiltonian."""
        return self.model == "hnn"


PROTOCOLS = {
    "henon-heiles": Protocol("hnn", 6.25, 200.0, {"energy_range": (0.02, 0.125)}, {"energy": 1 / 12}),
    "pendulum": Protocol("hnn", 8.0, 100.0),
    "van-der-pol": Protocol("nn", 2.13, 100.0),
    "lorenz": Protocol("nn", 0.7, 20.0),
    "double-pendulum": Protocol("hnn", 1.65, 50.0),
}
ORBITS, TURNS = 15, 4  # of the training
TESTS = 10  # orbits to forecast


def measured(system: str, per_turn: float, noise: float, seed: int) -> tuple[Orbit, Orbit]:
    """Return the exact orbits of a system, with rates, and measured ones, without.

    Parameters
    ----------
    system
        Name of the system.
    per_turn
        Number of states per turn.
    noise
        Standard deviation of the Gaussian noise of each coordinate, relative to its spread.
    seed
        Random seed.
    """
    protocol, flow = PROTOCOLS[system], systems.get(system)
    t = torch.arange(round(TURNS * per_turn) + 1, dtype=torch.float64) * protocol.turn / per_turn
    exact = flow.orbit(flow.sample(ORBITS, seed=2 * seed, **protocol.training_sample), t)
    drawn = torch.randn(exact.z.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return exact, replace(exact, z=exact.z + noise * exact.z.std((0, 1)) * drawn, rate=None)
