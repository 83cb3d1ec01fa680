"""Task: the data, model, loss and splits of one experiment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn import models
from physlearn.activations import Activation
from physlearn.models import Learner
from physlearn.models.build import build_classifier
from physlearn.training import Pairs, Training
from systems import InputError, Orbit
from systems.deprecation import renamed, renamed_attribute

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = ("meta-training", "meta-validation", "tuning", "training", "validation", "test")
"""The disjoint parts of the data. Activations are meta-learned on the first two, learning rates are chosen on the third,
networks train on the fourth and are validated on the fifth, and the last one is the test."""


@renamed(integrators="methods")
@dataclass(frozen=True)
class Forecasting:
    """The orbits that the networks of a task forecast, and the integration methods.

    Parameters
    ----------
    truth : Orbit, shape ``(n, T)``
        True orbits, which are not used for training.
    methods
        Names of the integration methods to compare.
    energy
        Function that returns the energy of states, if the system conserves it.
    horizon : shape ``(n,)``, optional
        Time until which the truth of each orbit is known.
    """

    truth: Orbit
    methods: tuple[str, ...]
    energy: Callable[[Tensor], Tensor] | None = None
    horizon: Float[Tensor, " n"] | None = None

    integrators = renamed_attribute("methods")


@dataclass(frozen=True)
class Task:
    """An experiment: data, a model, and settings of its training.

    Parameters
    ----------
    name, title
        Name of the task, and one line about it.
    model
        One of `physlearn.models.names()`, ``"classifier"`` or ``"classifier-splines"``.
    data
        Function that returns the orbits of a part, of any shape, or its pairs.
    forecasting
        Function that returns the orbits to forecast, if the task has any.
    training
        Settings of the training of networks in comparisons.
    learning
        Settings of `~physlearn.metalearning.metalearn` that suit the task.
    hidden
        Widths of the hidden layers.
    classes
        Number of classes of a classifier.
    picture
        Function that draws the data on axes; by default, a forecast orbit is drawn.
    dtype, device
        Type and device of the networks and their data.
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
    picture: Callable[[Axes], object] | None = None
    dtype: torch.dtype = torch.float32
    device: str | torch.device = "cpu"

    @cached_property
    def _parts(self) -> dict[str, Orbit | Pairs]:
        return {}

    def part(self, name: str) -> Orbit | Pairs:
        """Return the data of a part, which are simulated at the first call.

        Parameters
        ----------
        name
            One of ``PARTS``.

        Returns
        -------
        Orbit or Pairs
            The data.

        Raises
        ------
        InputError
            If there is no such part.
        """
        if name not in PARTS:
            raise InputError(f"a task has the parts {', '.join(PARTS)}, not {name!r}")
        if name not in self._parts:
            self._parts[name] = self.data(name)
        return self._parts[name]

    def pairs(self, part: str) -> Pairs:
        """Return the states and rates, or the signals and classes, of a part.

        Parameters
        ----------
        part
            One of ``PARTS``.

        Returns
        -------
        Pairs
            The pairs with the type and device of the task.

        Raises
        ------
        InputError
            If there is no such part.
        """
        data = self.part(part)
        pairs = data if isinstance(data, Pairs) else Pairs.of(data)
        return pairs.to(torch.device(self.device), self.dtype)

    def describe(self, *parts: str) -> dict[str, Any]:
        """Return everything that determines what networks learn on the task.

        Parameters
        ----------
        *parts
            Parts of the data to include.

        Returns
        -------
        dict of str to object
            JSON-ready values, with a digest of the data.
        """
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
        """The orbits that the networks forecast; raises InputError if the task has none."""
        if self.forecasting is None:
            raise InputError(f"the task {self.name} has no orbits to forecast: choose a task with forecasting")
        return self.forecasting()

    def network(self, activation: str | Activation = "sine", seed: int = 0) -> Learner:
        """Return a network with random initial weights; it takes its scales from the data when it is trained.

        Parameters
        ----------
        activation
            Name of an activation, or an Activation.
        seed
            Random seed of the initial weights.

        Returns
        -------
        Learner
            The network with the type and device of the task.
        """
        dim = self.part("training").dim
        network: Learner
        if self.classes is None:
            network = models.build(self.model, dim, self.hidden, activation, seed)
        else:
            network = build_classifier(self.model, dim, self.classes, self.hidden, activation, seed)
        return network.to(self.device, self.dtype)
