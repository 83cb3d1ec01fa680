"""The settings of a search for activations, and their validation."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from physlearn.activations import spline
from systems import InputError, UnknownNameError
from systems.scalars import real, whole

SEARCHES = ("search", "screening", "named", "random-search")
COUNTS = {"types": 1, "outer_steps": 0, "inner_steps": 1, "networks": 2, "candidates": 64, "batch_size": 1, "points": 5}
MOST_TYPES = 8


@dataclass(frozen=True)
class SearchSettings:
    """Settings of a search for the activations with which networks have the smallest held-out loss after a full training.

    Parameters
    ----------
    types
        Number of neuron types.
    variant
        ``"search"`` screens a pool of functions, combines the best, and polishes the winners by evolution; ``"screening"``
        does not polish; ``"named"`` tries all combinations of named functions, and nothing else; ``"random-search"``, the
        control of equal effort, trains random combinations.
    outer_steps
        Number of generations of the polishing.
    inner_steps
        Number of steps of a full training. By default, that of the task's own trainings.
    networks
        Number of networks by which the finalists are judged; earlier rungs use fewer.
    candidates
        Number of combinations of functions in the first rung, over all numbers of types, and so the effort; ``"named"`` has
        as many as there are.
    learning_rates
        Learning rates that each candidate tries first; the rate of the finalists is refined.
    batch_size
        Number of pairs per step.
    points, interval
        Grid on which the functions are captured.
    fewest
        Smallest number of types that the search may choose; by default, as many as ``types``. With fewer, each number from
        here to ``types`` has its own finalists, an equal part of the polishing, and the held-out loss decides. Only for
        ``"search"`` and ``"screening"``.

    Raises
    ------
    InputError
        If a setting is invalid.
    UnknownNameError
        If there is no such variant.
    """

    types: int = 2
    variant: str = "search"
    outer_steps: int = 40
    inner_steps: int = 660
    networks: int = 24
    candidates: int = 256
    learning_rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    batch_size: int = 150
    points: int = 241
    interval: tuple[float, float] = (-12.0, 12.0)
    fewest: int | None = None

    def __post_init__(self) -> None:
        for name, least in COUNTS.items():
            object.__setattr__(self, name, whole(name, getattr(self, name)))
            if getattr(self, name) < least:
                raise InputError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if self.types > MOST_TYPES:
            raise InputError(f"a search finds at most {MOST_TYPES} types, not {self.types}; learn more by another variant")
        fewest = self.types if self.fewest is None else whole("fewest", self.fewest)
        object.__setattr__(self, "fewest", fewest)
        if not 1 <= fewest <= self.types:
            raise InputError(f"fewest must be from 1 to the number of types, {self.types}, not {fewest}")
        if fewest < self.types and self.variant not in ("search", "screening"):
            raise InputError(
                f"{self.variant!r} finds a given number of types: use 'search' or 'screening' to choose from several"
            )
        if self.variant not in SEARCHES:
            raise UnknownNameError.of("there is no search", self.variant, SEARCHES)
        rates = tuple(real("learning_rates", rate) for rate in self.learning_rates)
        if not rates or not all(rate > 0 for rate in rates):
            raise InputError(f"learning_rates must be positive numbers, at least one, not {self.learning_rates!r}")
        object.__setattr__(self, "learning_rates", rates)
        low, high = self.interval
        if not (low < high and isfinite(high - low)):
            raise InputError(f"interval must be two finite numbers, the lower one first, not {self.interval}")
        spline.spline_coefficients(self.points, "cubic")

    @property
    def numbers(self) -> range:
        """The numbers of types from which the search chooses."""
        assert self.fewest is not None  # set above
        return range(self.fewest, self.types + 1)
