"""Which part of measurements is held out, and what was measured before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from physlearn.forecasting.channels import begun, started
from physlearn.forecasting.forecaster import Forecaster
from physlearn.forecasting.past import LATE
from physlearn.training import join
from systems import InputError, Orbit

FEW = 5  # runs from which whole runs can be held out
HELD_OUT, VALIDATION = 0.2, 0.15  # of the runs, or of the times of each run
FEWEST = 3  # times of a part of a run


@dataclass(frozen=True)
class HeldOut:
    """A run that is forecast from its first state on, and what was measured before.

    Parameters
    ----------
    run : Orbit
        The run.
    before : Orbit, optional
        Earlier part of the same run, which models with memory continue. Without it, they continue the first states.
    """

    run: Orbit
    before: Orbit | None = None

    def extended(self, f: Forecaster) -> Orbit:
        """Return the run with as much before it as the forecaster needs."""
        if self.before is None or not f.past_length:
            return self.run
        early = int((self.before.t < float(self.run.t[0]) - f.past_length * (1 + LATE)).sum())
        return join([self.before[early:], self.run]) if early < len(self.before.t) else self.run

    def forecast(self, f: Forecaster) -> Orbit:
        """Return the forecast. Raises InputError if the forecaster needs a longer past."""
        (whole,) = f.channels.runs(self.extended(f))
        past, rest = f.parted(whole)
        return f.forecast(past, rest.t, progress=False, **f.channels.arguments(whole))


@dataclass(frozen=True)
class Split:
    """Runs to train on, to choose a model by and calibrate it with, and to forecast.

    Parameters
    ----------
    training, validation, test : list of Orbit
        The runs of each part.
    told : str
        How they were chosen.
    cut : bool
        Whether the parts are those of each run, one after the other, instead of whole runs.
    """

    training: list[Orbit]
    validation: list[Orbit]
    test: list[Orbit]
    told: str
    cut: bool = False

    def held(self) -> list[HeldOut]:
        """Return the validation runs. Raises InputError if none has a time at which all coordinates were measured."""
        return _held_out(self.validation, self.training if self.cut else [])

    def tested(self) -> list[HeldOut]:
        """Return the test runs. Raises InputError if none has a time at which all coordinates were measured."""
        earlier = zip(self.training, self.validation, strict=True) if self.cut else []
        return _held_out(self.test, [join(parts) for parts in earlier])


def split(runs: Sequence[Orbit]) -> Split:
    """Hold out the last fifth of five or more runs, or else of the times of each run. Raises InputError for too few times."""
    n = len(runs)
    if n >= FEW:
        test, validation = max(1, round(HELD_OUT * n)), max(1, round(VALIDATION * n))
        first, last = n - test - validation, n - test
        told = f"the last {test} of {n} runs are forecast, after training on {first} and validation on {validation}"
        return Split(list(runs[:first]), list(runs[first:last]), list(runs[last:]), told)
    found = Split([], [], [], "", cut=True)
    for run in runs:
        size = len(run.t)
        ends = [0, round((1 - HELD_OUT - VALIDATION) * size), round((1 - HELD_OUT) * size), size]
        if min(np.diff(ends)) < FEWEST:
            raise InputError(
                f"a run of {size} times is too short to hold out a part of it; give runs of at least "
                f"{round(FEWEST / VALIDATION) + 1} times, or at least {FEW} runs"
            )
        for part, (a, b) in zip((found.training, found.validation, found.test), pairwise(ends), strict=True):
            part.append(run[a:b])
    told = f"the last {HELD_OUT:.0%} of {'the run' if n == 1 else 'each run'} is forecast, after training on the first "
    return replace(found, told=f"{told}{1 - HELD_OUT - VALIDATION:.0%} and validation on the next {VALIDATION:.0%}")


def _held_out(runs: Sequence[Orbit], before: Sequence[Orbit]) -> list[HeldOut]:
    started(runs)  # raises the error
    earlier: Sequence[Orbit | None] = before or [None] * len(runs)
    return [HeldOut(one, first) for run, first in zip(runs, earlier, strict=True) for one in begun(run)]
