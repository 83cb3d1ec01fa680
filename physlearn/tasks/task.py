"""Task: data, model, loss and splits of one thing to learn, as the paper's experiments have them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from physlearn import models
from physlearn.activations import Activation
from physlearn.models import Learner
from physlearn.models.build import build_classifier
from physlearn.training import Pairs, Training
from systems import InputError, Orbit

PARTS = ("meta-training", "meta-validation", "tuning", "training", "validation", "test")
"""The activations are meta-learned on the first two; learning rates are chosen on the third; networks are trained on the
fourth and watched on the fifth; the last is what they are scored on. No orbit, or signal, is in two of them."""


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

    name, title: its own. model: one of `physlearn.models.names()`, or a classifier. data: gives the orbits of a part, of any
    shape, or the pairs where they are no orbits. forecasting: gives what is forecast, where there is anything. training: how
    networks are trained in comparisons. learning: settings of `metalearn` that suit it. hidden: the widths of the hidden
    layers. classes: how many a ``"classifier"``, or ``"classifier-splines"``, tells apart. picture: draws what is learned; by
    default, an orbit that is forecast.
    """

    name: str
    title: str
    model: str
    data: Callable[[str], Orbit | Pairs]
    forecasting: Callable[[], Forecasting] | None = None
    training: Training = field(default_factory=lambda: Training(epochs=10, batch_size=150, learning_rate=1e-2))
    learning: Mapping[str, Any] = field(default_factory=dict)
    hidden: tuple[int, ...] = (100,)
    classes: int | None = None
    picture: Callable[[Axes], Any] | None = None
    dtype: torch.dtype = torch.float32
    device: str | torch.device = "cpu"

    @cached_property
    def _parts(self) -> dict[str, Orbit | Pairs]:
        return {}

    def part(self, name: str) -> Orbit | Pairs:
        """The data of a part, simulated when they are first asked for. Raises InputError for an unknown part."""
        if name not in PARTS:
            raise InputError(f"a task has the parts {', '.join(PARTS)}, not {name!r}")
        if name not in self._parts:
            self._parts[name] = self.data(name)
        return self._parts[name]

    def pairs(self, part: str) -> Pairs:
        """All states and rates of a part, or what else is learned."""
        data = self.part(part)
        pairs = data if isinstance(data, Pairs) else Pairs.of(data)
        return pairs.to(torch.device(self.device), self.dtype)

    def describe(self, *parts: str) -> dict[str, Any]:
        """All that decides what networks learn on it, as JSON-ready values: the data of these parts by a digest."""
        digest = hashlib.sha256()
        for part in parts:
            pairs = self.pairs(part)
            for tensor in (pairs.z, pairs.target):
                digest.update(tensor.cpu().numpy().tobytes())
        return {
            "name": self.name,
            "model": self.model,
            "hidden": self.hidden,
            "dtype": str(self.dtype),
            "reduction": self.training.reduction,
            "data": digest.hexdigest(),
        }

    @cached_property
    def forecast(self) -> Forecasting:
        """What its networks forecast. Raises InputError where that is nothing."""
        if self.forecasting is None:
            raise InputError(f"the networks of {self.name} forecast nothing")
        return self.forecasting()

    def network(self, activation: str | Activation = "sine", seed: int = 0) -> Learner:
        """A network of the task with initial weights; it takes its scales from the data when it is trained."""
        dim = self.part("training").dim
        network: Learner
        if self.classes is None:
            network = models.build(self.model, dim, self.hidden, activation, seed)
        else:
            network = build_classifier(self.model, dim, self.classes, self.hidden, activation, seed)
        return network.to(self.device, self.dtype)
