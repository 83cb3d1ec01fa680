"""The settings of meta-learning, and their validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from numbers import Integral, Real
from typing import Any, Literal

import torch

from physlearn.activations import named, spline
from physlearn.metalearning.search_settings import SEARCHES
from physlearn.training import optimizers
from systems import InputError, UnknownNameError

GRADIENTS = ("unrolled", "truncated", "first-order", "final-step")
VARIANTS = (*GRADIENTS, "evolution", "two-stage")

COUNTS = ("types", "outer_steps", "inner_steps", "networks", "width", "points", "batch_size", "window", "examine_every",
          "smoothing", "snapshots", "pairs")  # fmt: skip
LAST_RATE = 0.02  # fraction of the outer learning rate at which the cosine ends


def variants() -> list[str]:
    """Return the names of all variants of `metalearn`, the searches first.

    Returns
    -------
    list of str
        The names.
    """
    return [*SEARCHES, *VARIANTS]


@dataclass(frozen=True)
class MetaLearning:
    """Settings of meta-learning; the defaults are Algorithm 1 of the paper with a scheduled and clipped outer loop.

    Parameters
    ----------
    types
        Number of neuron types.
    base
        Name of the function from which each type starts. For types that start from different functions, one name for each
        type, as a list or joined by plus signs, such as ``"sine+square"``; the attribute is always a text.
    variant
        How the gradient of an outer step is computed: ``"unrolled"``, ``"truncated"`` (through ``window`` steps),
        ``"first-order"``, ``"final-step"`` or ``"evolution"``.
    outer_steps
        Number of outer steps.
    inner_steps
        Number of training steps in the inner loop.
    networks
        Number of networks that train at the same time, each from its own weights and in its own batches; the gradient is
        their mean.
    width
        Number of hidden neurons of each sub-network.
    gain
        Factor of the initial weights of the last layer of each sub-network.
    parity
        Whether the types are alternately odd and even functions, so that they complement each other. A single type is not
        restricted.
    points, interval
        Number of points and ends of the grid on which each sub-network is evaluated once per outer step, and interpolated. It
        is finer than the table that is captured at the end.
    batch_size
        Number of pairs in a batch of the inner loop.
    inner_optimizer
        ``"sgd"``, ``"momentum"``, ``"rmsprop"`` or ``"adam"``.
    inner_learning_rate
        Learning rate of all networks, or a lower and an upper bound between which each network draws its own (log-uniform).
    learn_inner_rate
        Whether the outer loop also learns the inner learning rate (only unrolled and truncated).
    schedule
        ``"constant"``, or ``"cosine"``, which lowers the learning rate to zero over the inner steps, as in the trainings in
        which the activations are used.
    lifetime
        None for new networks at each outer step. Otherwise a lower and an upper bound, in inner steps, between which each
        network draws its lifetime (log-uniform), so that networks of all ages train at the same time.
    compiled
        Whether torch.compile compiles the inner step; not for unrolled and truncated. It does not pay off on a CPU, where the
        loops over tables are compiled in any case.
    tail
        Fraction of the inner steps, at the end, whose losses count.
    held_out
        Whether the losses are those on the meta-validation pairs. In evolution, the final loss on these pairs then replaces
        the losses of the windows.
    logarithm
        Whether the objective is the mean log loss, in which all networks have the same weight.
    window
        Number of inner steps through which the truncated variant differentiates.
    outer_optimizer
        Name of an optimizer of torch.optim.
    outer_options
        Further options of the outer optimizer.
    outer_learning_rate
        Maximum learning rate of the outer loop.
    warm_up
        Number of outer steps over which the outer learning rate rises.
    decay
        Whether the outer learning rate then falls to 2 % of its maximum along a cosine.
    clip
        Maximum norm of the gradient over all types; None for no clipping.
    examine_every
        Number of outer steps between examinations, in which the same few networks are trained from scratch with the current
        curves, and tested on the meta-validation pairs.
    smoothing
        Number of successive examinations over which the loss is averaged to select the best curves.
    snapshots
        Number of curves in the history.
    pairs
        Number of antithetic pairs of perturbations (evolution). Both members of a pair start from the same weights and have
        the same batches.
    space
        What evolution perturbs: the ``"weights"`` of the sub-networks, or the ``"curves"``, by bumps 0.75 apart.
    sigma
        Size of a perturbation (evolution).
    windows
        Windows of inner steps, as fractions of their number (evolution). The objective is the log of the mean loss in a
        window, averaged over the windows.
    reward
        Weight of the advantage of the mix over its pure types (evolution), ``J = log L_mix - reward * softmin(log L_pure)``.
        The default of 0 is the honest choice, because worse pure types also earn the reward.

    Raises
    ------
    InputError
        If a setting is invalid, or settings contradict each other, such as three base functions for two types.
    UnknownNameError
        If a variant, base function or optimizer does not exist.
    """

    types: int = 2
    base: str | Sequence[str] = "sine"
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
        if self.variant in SEARCHES:
            raise InputError(f"{self.variant!r} is a search of metalearn, not a stage of other variants; pass it to metalearn")
        if self.variant not in VARIANTS:
            raise UnknownNameError.of("there is no variant of meta-learning", self.variant, variants())
        if self.variant == "two-stage":
            raise InputError("'two-stage' is a preset of metalearn (TWO_STAGE), not a variant; pass it to metalearn")
        object.__setattr__(self, "base", base_of(self.base, self.types))
        spline.spline_coefficients(self.points, "cubic")
        if not (_in_order(self.interval) and isfinite(self.interval[1] - self.interval[0])):
            raise InputError(f"interval must be two finite numbers, the lower one first, not {self.interval}")
        if self.parity and self.interval[0] != -self.interval[1]:
            raise InputError(f"odd and even types need an interval that is symmetric about 0, not {self.interval}")
        optimizers.find(self.inner_optimizer)
        outer, options = outer_class(self.outer_optimizer), self.outer_options
        try:
            outer([torch.zeros(1, 1, requires_grad=True)], lr=self.outer_learning_rate, **options)  # type: ignore[call-arg]
        except (TypeError, ValueError) as error:
            raise InputError(f"{self.outer_optimizer} does not accept outer_options={options}: {error}") from error
        if not (isinstance(self.tail, Real) and 0 < self.tail <= 1):
            raise InputError(f"tail must be a fraction of the inner steps, above 0 and up to 1, not {self.tail!r}")
        if self.clip is not None and not (isinstance(self.clip, Real) and self.clip > 0):
            raise InputError(f"clip must be positive, not {self.clip!r}")
        rate = self.inner_learning_rate
        if not (rate > 0 if isinstance(rate, Real) else _in_order(rate, equal=True) and rate[0] > 0):
            raise InputError(f"inner_learning_rate must be a positive number, or two in increasing order, not {rate!r}")
        low, high = self.rates
        if self.lifetime is not None and not (_in_order(self.lifetime, equal=True) and self.lifetime[0] > 0):
            raise InputError(f"lifetime must be two positive numbers of steps in increasing order, not {self.lifetime}")
        if self.schedule not in ("constant", "cosine"):
            raise InputError(f"schedule must be 'constant' or 'cosine', not {self.schedule!r}")
        if self.schedule == "cosine" and self.pool is not None:
            raise InputError(
                "a cosine schedule ends with the inner steps, but lifetime lets networks continue; use schedule='constant'"
            )
        if self.learn_inner_rate and self.variant not in ("unrolled", "truncated"):
            raise InputError(f"variant {self.variant!r} cannot learn the inner learning rate; use 'unrolled' or 'truncated'")
        if self.compiled and self.variant in ("unrolled", "truncated"):
            raise InputError(
                f"variant {self.variant!r} differentiates the inner step twice, which compiled=True does not allow; use "
                "compiled=False or 'first-order'"
            )
        if self.learn_inner_rate and (self.lifetime is not None or low != high):
            raise InputError("a learned inner learning rate must be a single number, and lifetime must be None")
        if not self.windows or any(not (_in_order(window) and window[0] >= 0 and window[1] <= 1) for window in self.windows):
            raise InputError(f"windows must be fractions of the inner steps, such as ((0.9, 1.0),), not {self.windows}")
        if self.space not in ("weights", "curves"):
            raise InputError(f"space must be 'weights' or 'curves', not {self.space!r}")

    @property
    def bases(self) -> list[str]:
        """The name of the function from which each type starts."""
        found = str(self.base).split("+")
        return found * self.types if len(found) == 1 else found

    @property
    def rates(self) -> tuple[float, float]:
        """The lowest and the highest inner learning rate."""
        rate = self.inner_learning_rate
        return (rate, rate) if isinstance(rate, Real) else (rate[0], rate[1])  # type: ignore[index]

    @property
    def pool(self) -> tuple[int, int] | None:
        """The range of lifetimes of networks that continue over outer steps; None for evolution, where all are new."""
        return None if self.variant == "evolution" else self.lifetime

    @property
    def longest(self) -> float:
        """The norm to which the gradient of an outer step is clipped."""
        return float("inf") if self.clip is None else self.clip


def base_of(base: Any, types: int) -> str:
    """Return the names of base functions joined by plus signs.

    Raises InputError unless there is one function, or one for each type, and UnknownNameError if there is no such function.
    """
    names = base.split("+") if isinstance(base, str) else base
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise InputError(f"base must be the name of a function, or a list of names, one for each type, not {base!r:.80}")
    for name in names:
        named.find(name)
    if len(names) not in (1, types):
        raise InputError(f"base has {len(names)} functions for {types} types: give one for each type, or one for all")
    return "+".join(names)


def _in_order(numbers: Any, *, equal: bool = False) -> bool:
    """Return whether these are two numbers, the second greater than the first or, with ``equal``, equal to it."""
    if not (isinstance(numbers, Sequence) and len(numbers) == 2 and all(isinstance(number, Real) for number in numbers)):
        return False
    return numbers[0] < numbers[1] or (equal and numbers[0] == numbers[1])


def outer_class(name: str) -> type[torch.optim.Optimizer]:
    """Return a class of torch.optim by its name, in any case. Raises UnknownNameError if there is no such class."""
    classes = {
        key.lower(): value
        for key, value in vars(torch.optim).items()
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer) and value is not torch.optim.Optimizer
    }
    classes.pop("lbfgs", None)  # it evaluates the loss several times per step
    classes.pop("sparseadam", None)  # it accepts sparse gradients only
    if name.lower() not in classes:
        raise UnknownNameError.of("there is no outer optimizer", name, sorted(classes))
    return classes[name.lower()]
