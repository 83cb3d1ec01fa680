"""Classes of orbits: regular, chaotic, undecided or escaped, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from torch import Tensor

CLASSES = ("regular", "chaotic", "undecided", "escaped")
REGULAR, CHAOTIC, UNDECIDED, ESCAPED = range(len(CLASSES))
REASONS = (
    "",
    "an autonomous flow of at most two coordinates has no chaos (Poincare and Bendixson)",
    "even the finest steps do not conserve its energy, or differ from two half steps",
    "its deviations grew, but not for long enough, or not while it kept coming back",
    "it was still on its way out, at a growing rate",
    "it stood still, as at an equilibrium, stable or not",
)
NONE, PLANAR, UNRESOLVED, GROWING, LEAVING, STILL = range(len(REASONS))


@dataclass(frozen=True, eq=False)
class Classification:
    """The class of each orbit, with the figures behind it.

    Attributes
    ----------
    code : shape ``(...)``
        The number of each orbit's class in ``("regular", "chaotic", "undecided", "escaped")``.
    reason : shape ``(...)``
        The number of the sentence in `REASONS` that says why; 0 where the figures speak for themselves.
    exponent, error : shape ``(...)``
        Largest Lyapunov exponent until the class was known, and its standard error [1 / time]; NaN where an orbit escaped
        or was not followed.
    index : shape ``(...)``
        Smallest alignment index when the class was known, in units of the orbit's spread.
    step_error : shape ``(...)``
        Largest error of the energy, in units of the largest ``|p dq/dt|``; without a Hamiltonian the largest difference of
        a step and two half steps, in units of the orbit's spread.
    dt : shape ``(...)``
        Step by which each orbit was followed.
    time
        For how long at most.
    """

    code: Int[Tensor, "*batch"]
    reason: Int[Tensor, "*batch"]
    exponent: Float[Tensor, "*batch"]
    error: Float[Tensor, "*batch"]
    index: Float[Tensor, "*batch"]
    step_error: Float[Tensor, "*batch"]
    dt: Float[Tensor, "*batch"]
    time: float

    @property
    def regular(self) -> Bool[Tensor, "*batch"]:
        """Orbits whose deviations did not grow exponentially within the time, and equilibria."""
        return self.code == REGULAR

    @property
    def chaotic(self) -> Bool[Tensor, "*batch"]:
        """Orbits that are established to be chaotic."""
        return self.code == CHAOTIC

    @property
    def undecided(self) -> Bool[Tensor, "*batch"]:
        """Orbits that the steps do not resolve, or that need a longer time."""
        return self.code == UNDECIDED

    @property
    def escaped(self) -> Bool[Tensor, "*batch"]:
        """Orbits that left before they were known to be chaotic."""
        return self.code == ESCAPED

    def counts(self) -> dict[str, int]:
        """The number of orbits of each class."""
        return {name: int((self.code == number).sum()) for number, name in enumerate(CLASSES)}

    def to_frame(self) -> pd.DataFrame:
        """One row per orbit of the flattened batch: class, exponent, error, index, step_error, dt and reason."""
        columns: dict[str, np.ndarray] = {"class": np.array(CLASSES)[_array(self.code)]}
        for name in ("exponent", "error", "index", "step_error", "dt"):
            columns[name] = _array(getattr(self, name))
        columns["reason"] = np.array(REASONS, dtype=object)[_array(self.reason)]
        return pd.DataFrame(columns).rename_axis("orbit")


def _array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.detach().reshape(-1).cpu().numpy()
    return array
