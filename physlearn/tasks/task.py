"""Task: data, model, loss and splits of one thing to learn, as the paper's experiments have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import models
from physlearn.activations import Activation
from physlearn.models import Model
from physlearn.training import Pairs, Training
from systems import InputError, Orbit

PARTS = ("meta-training", "meta-validation", "tuning", "training", "validation", "test")
"""The activations are meta-learned on the first two; learning rates are chosen on the third; networks are trained on the
fourth and watched on the fifth; the last is what they are scored on. No orbit is in two of them."""


@dataclass(frozen=True)
class Forecasting:
    """The orbits that a task's networks forecast, and how they are rolled out.

    truth: ``(n, T)`` orbits, among none of which a network was trained. integrators: those of the comparison. energy: of a
    state, where the system conserves one. horizon: the time until which the truth is known, of each orbit.
    """

    truth: Orbit
    integrators: tuple[str, ...]
    energy: Callable[[Tensor], Tensor] | None = None
    horizon: Float[Tensor, " n"] | None = None


@dataclass(frozen=True)
class Task:
    """One thing to learn.

    name, title: its own. model: the kind of network, ``"nn"``, ``"hnn"``, ... orbits: gives the orbits of a part, of any
    shape. forecasting: gives what is forecast. training: how networks are trained in comparisons. learning: settings of
    `metalearn` that suit it. hidden: the widths of the hidden layers.
    """

    name: str
    title: str
    model: str
    orbits: Callable[[str], Orbit]
    forecasting: Callable[[], Forecasting]
    training: Training = field(default_factory=lambda: Training(epochs=10, batch_size=150, learning_rate=1e-2))
    learning: Mapping[str, Any] = field(default_factory=dict)
    hidden: tuple[int, ...] = (100,)
    dtype: torch.dtype = torch.float32
    device: str | torch.device = "cpu"

    @cached_property
    def _parts(self) -> dict[str, Orbit]:
        return {}

    def part(self, name: str) -> Orbit:
        """The orbits of a part, simulated when they are first asked for. Raises InputError for an unknown part."""
        if name not in PARTS:
            raise InputError(f"a task has the parts {', '.join(PARTS)}, not {name!r}")
        if name not in self._parts:
            self._parts[name] = self.orbits(name)
        return self._parts[name]

    def pairs(self, part: str) -> Pairs:
        """All states and rates of a part."""
        return Pairs.of(self.part(part)).to(torch.device(self.device), self.dtype)

    @cached_property
    def forecast(self) -> Forecasting:
        """What its networks forecast."""
        return self.forecasting()

    def network(self, activation: str | Activation = "sine", seed: int = 0) -> Model:
        """A network of the task with initial weights; it takes its scales from the data when it is trained."""
        dim = self.part("training").dim
        return models.build(self.model, dim, self.hidden, activation, seed).to(self.device, self.dtype)
