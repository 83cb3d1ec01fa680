"""The settings of meta-learning, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral, Real
from typing import Any, Literal

import torch

from physlearn.activations import named, spline
from physlearn.training import optimizers
from systems import InputError, UnknownNameError

GRADIENTS = ("unrolled", "truncated", "first-order", "final-step")
VARIANTS = (*GRADIENTS, "evolution", "two-stage")
COUNTS = ("types", "outer_steps", "inner_steps", "networks", "width", "points", "batch_size", "window", "examine_every",
          "smoothing", "snapshots", "pairs")  # fmt: skip
LAST_RATE = 0.02  # of the outer learning rate, where the cosine ends


@dataclass(frozen=True)
class MetaLearning:
    """How activations are meta-learned; the defaults are Algorithm 1 of the paper with the outer loop kept in hand.

    *The types.* types: how many. base: the named function that each begins at. width: of each sub-network. gain: of its last
    layer at the start. parity: types are odd and even functions in turn (one alone may be anything), so that each lacks what
    the other has. points, interval: of the grid on which it is evaluated once an outer step and interpolated (finer than
    the table that is captured in the end).

    *The inner loop.* inner_steps: of training. networks: at once, each from weights and in batches of its own; the gradient
    is their mean. batch_size. inner_optimizer: ``"sgd"``, ``"momentum"``, ``"rmsprop"``, ``"adam"``. inner_learning_rate: one
    for all, or two between which each network draws its own (log-uniform). learn_inner_rate: lower the loss by the rate too
    (unrolled and truncated). schedule: ``"constant"``, or ``"cosine"``, by which the rate falls to zero over the inner steps,
    as it does where the activations are used. lifetime: None for new networks at each outer step, or two numbers of inner
    steps between which each network draws its own life (log-uniform), so that networks of all ages train side by side.
    compiled: the inner step, by torch.compile: for all variants but unrolled and truncated. It does not pay on a CPU, where
    the loops over tables are compiled anyway.

    *The objective.* tail: the last share of the inner steps whose losses count. held_out: count losses on the
    meta-validation pairs, and in evolution the loss there in the end instead of those of the windows. logarithm: the mean log
    loss, in which all networks weigh the same.

    *The outer loop.* variant: how the gradient is found: ``"unrolled"``, ``"truncated"`` (through ``window`` steps),
    ``"first-order"``, ``"final-step"``, ``"evolution"``. outer_steps. outer_optimizer: any of torch.optim, by name, with
    outer_options. outer_learning_rate: rises over the first ``warm_up`` steps, then falls to nearly nothing along a
    cosine (``decay``). examine_every: so many outer steps, the same few networks are trained anew with the curves as they
    are, and tried on the meta-validation pairs. clip: the longest gradient, over all types. smoothing: examinations in
    a row, over which the loss is averaged to choose the curves that are kept. snapshots: how many curves the history keeps.

    *Evolution.* pairs: of antithetic perturbations; both members of a pair begin with the same weights and see the same
    batches. space: ``"weights"`` of the sub-networks, or ``"curves"``, to which bumps 0.75 apart are added. sigma: the size of
    a perturbation. windows: of inner steps, as shares of their number; the objective is the mean over them of the log of the
    mean loss. reward: for what the mix gains over the pure types, ``J = log L_mix - reward * softmin(log L_pure)``; 0 is the
    honest default, since a reward is also earned by spoiling the pure types.

    Raises InputError or UnknownNameError for what cannot be.
    """

    types: int = 2
    base: str = "sine"
    variant: str = "unrolled"
    outer_steps: int = 300
    inner_steps: int = 66
    networks: int = 16
    width: int = 50
    gain: float = 1.0
    parity: bool = False
    points: int = 241
    interval: tuple[float, float] = (-12.0, 12.0)
    batch_size: int = 150
    inner_optimizer: str = "adam"
    inner_learning_rate: float | tuple[float, float] = 1e-2
    learn_inner_rate: bool = False
    schedule: Literal["constant", "cosine"] = "constant"
    lifetime: tuple[int, int] | None = None
    compiled: bool = False
    tail: float = 1.0
    held_out: bool = False
    logarithm: bool = False
    window: int = 20
    outer_optimizer: str = "Adam"
    outer_options: Mapping[str, Any] = field(default_factory=dict)
    outer_learning_rate: float = 1e-2
    warm_up: int = 10
    decay: bool = True
    clip: float | None = 1.0
    examine_every: int = 5
    smoothing: int = 3
    snapshots: int = 60
    pairs: int = 12
    space: Literal["weights", "curves"] = "curves"
    sigma: float = 0.05
    windows: tuple[tuple[float, float], ...] = ((0.22, 0.33), (0.89, 1.0))
    reward: float = 0.0

    def __post_init__(self) -> None:
        for name in COUNTS:
            if not (isinstance(getattr(self, name), Integral) and getattr(self, name) > 0):
                raise InputError(f"{name} must be a positive whole number, not {getattr(self, name)!r}")
            object.__setattr__(self, name, int(getattr(self, name)))
        for name in ("gain", "outer_learning_rate", "sigma"):
            if not (isinstance(getattr(self, name), Real) and getattr(self, name) > 0):
                raise InputError(f"{name} must be positive, not {getattr(self, name)!r}")
        if self.variant not in VARIANTS:
            raise UnknownNameError(f"no variant {self.variant!r} of meta-learning; there are {', '.join(VARIANTS)}")
        if self.variant == "two-stage":
            raise InputError("variant 'two-stage' is two settings, TWO_STAGE, of which metalearn knows")
        named.find(self.base)
        spline.spline_coefficients(self.points, "cubic")
        if not (_in_order(self.interval) and isfinite(self.interval[1] - self.interval[0])):
            raise InputError(f"interval is two finite numbers, the low end first, not {self.interval}")
        if self.parity and self.interval[0] != -self.interval[1]:
            raise InputError(f"odd and even types need an interval that is symmetric about 0, not {self.interval}")
        optimizers.find(self.inner_optimizer)
        outer, options = outer_class(self.outer_optimizer), self.outer_options
        try:
            outer([torch.zeros(1, 1, requires_grad=True)], lr=self.outer_learning_rate, **options)  # type: ignore[call-arg]
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.outer_optimizer} does not take outer_options={options}: {error}") from error
        if not (isinstance(self.tail, Real) and 0 < self.tail <= 1):
            raise InputError(f"tail is a share of the inner steps, above 0 and up to 1, not {self.tail!r}")
        if self.clip is not None and not (isinstance(self.clip, Real) and self.clip > 0):
            raise InputError(f"clip must be positive, not {self.clip!r}")
        rate = self.inner_learning_rate
        if not (rate > 0 if isinstance(rate, Real) else _in_order(rate, equal=True) and rate[0] > 0):
            raise InputError(f"inner_learning_rate is a positive number, or two in order, not {rate!r}")
        low, high = self.rates
        if self.lifetime is not None and not (_in_order(self.lifetime, equal=True) and self.lifetime[0] > 0):
            raise InputError(f"lifetime is two numbers of steps in order, not {self.lifetime}")
        if self.schedule not in ("constant", "cosine"):
            raise InputError(f"schedule must be 'constant' or 'cosine', not {self.schedule!r}")
        if self.schedule == "cosine" and self.pool is not None:
            raise InputError("a cosine schedule ends with the inner steps: networks that live on need schedule='constant'")
        if self.learn_inner_rate and self.variant not in ("unrolled", "truncated"):
            raise InputError(
                f"the gradient of variant {self.variant!r} does not know of the inner learning rate; take unrolled"
            )
        if self.compiled and self.variant in ("unrolled", "truncated"):
            raise InputError(
                f"a compiled inner step cannot be differentiated twice, as variant {self.variant!r} asks for; take first-order"
            )
        if self.learn_inner_rate and (self.lifetime is not None or low != high):
            raise InputError("a learned inner learning rate is one for all networks, new at each outer step")
        if not self.windows or any(not (_in_order(window) and window[0] >= 0 and window[1] <= 1) for window in self.windows):
            raise InputError(f"windows are shares of the inner steps, as ((0.9, 1.0),), not {self.windows}")
        if self.space not in ("weights", "curves"):
            raise InputError(f"space must be 'weights' or 'curves', not {self.space!r}")

    @property
    def rates(self) -> tuple[float, float]:
        """The lowest and the highest inner learning rate."""
        rate = self.inner_learning_rate
        return (rate, rate) if isinstance(rate, Real) else (rate[0], rate[1])  # type: ignore[index]

    @property
    def pool(self) -> tuple[int, int] | None:
        """The lives of networks that live on; evolution has only new ones."""
        return None if self.variant == "evolution" else self.lifetime

    @property
    def longest(self) -> float:
        """The longest gradient of an outer step."""
        return float("inf") if self.clip is None else self.clip


def _in_order(numbers: Any, *, equal: bool = False) -> bool:
    """Whether these are two numbers, the second greater, or perhaps equal."""
    if not (isinstance(numbers, Sequence) and len(numbers) == 2 and all(isinstance(number, Real) for number in numbers)):
        return False
    return numbers[0] < numbers[1] or (equal and numbers[0] == numbers[1])


def outer_class(name: str) -> type[torch.optim.Optimizer]:
    """The class of torch.optim, whatever the case of the name. Raises UnknownNameError for what is none."""
    classes = {
        key.lower(): value
        for key, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer) and value is not torch.optim.Optimizer
    }
    classes.pop("lbfgs", None)  # it asks for the loss again and again
    classes.pop("sparseadam", None)  # for sparse gradients alone
    if name.lower() not in classes:
        raise UnknownNameError(f"no outer optimizer {name!r}; there are {', '.join(sorted(classes))}")
    return classes[name.lower()]
