"""The classes of orbits (regular, chaotic, undecided or escaped) and the reasons for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from torch import Tensor

from systems.brief import Brief

CLASSES = ("regular", "chaotic", "undecided", "escaped")
REGULAR, CHAOTIC, UNDECIDED, ESCAPED = range(len(CLASSES))
REASONS = (
    "",
    "an autonomous flow with at most two coordinates cannot be chaotic (Poincare-Bendixson theorem)",
    "even with the smallest steps, its energy is not conserved or a step differs from two half steps",
    "its deviation vectors grew, but not for long enough, or not while the orbit kept returning",
    "it was still moving outwards at a growing rate",
    "it did not move, as at a stable or unstable equilibrium",
)
NONE, PLANAR, UNRESOLVED, GROWING, LEAVING, STILL = range(len(REASONS))


@dataclass(frozen=True, eq=False, repr=False)
class Classification(Brief):
    """The class of each orbit, with the quantities that it is based on.

    Parameters
    ----------
    code : shape ``(...)``
        Index of each orbit's class in ``("regular", "chaotic", "undecided", "escaped")``.
    reason : shape ``(...)``
        Index into ``REASONS`` of the reason for the class; 0 if the class follows from the other quantities.
    exponent, error : shape ``(...)``
        Largest Lyapunov exponent up to the time when the class was known, and its standard error [1 / time]; NaN for orbits
        that escaped or were not followed. For flows without a Hamiltonian, this is the end of the time.
    index : shape ``(...)``
        Smaller alignment index when the vectors were found to grow exponentially, or at the end of the time, for deviations in
        units of the orbit's spread.
    step_error : shape ``(...)``
        Largest energy error, in units of the largest ``|p dq/dt|``; without a Hamiltonian, the largest difference between a
        step and two half steps, in units of the orbit's spread.
    dt : shape ``(...)``
        Step with which each orbit was integrated.
    time
        Longest time for which orbits are followed.
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
        """Whether each orbit's deviation vectors did not grow exponentially within the time; True for equilibria."""
        return self.code == REGULAR

    @property
    def chaotic(self) -> Bool[Tensor, "*batch"]:
        """Whether each orbit was found to be chaotic."""
        return self.code == CHAOTIC

    @property
    def undecided(self) -> Bool[Tensor, "*batch"]:
        """Whether each orbit is not resolved by the steps, or needs a longer time to be classified."""
        return self.code == UNDECIDED

    @property
    def escaped(self) -> Bool[Tensor, "*batch"]:
        """Whether each orbit escaped before it was found to be chaotic."""
        return self.code == ESCAPED

    def counts(self) -> dict[str, int]:
        """Count the orbits of each class.

        Returns
        -------
        dict
            Number of orbits by the name of the class.
        """
        return {name: int((self.code == number).sum()) for number, name in enumerate(CLASSES)}

    def to_frame(self) -> pd.DataFrame:
        """Convert the classification to a data frame.

        Returns
        -------
        DataFrame
            One row per orbit of the flattened batch: class, exponent, error, index, step_error, dt and reason.
        """
        columns: dict[str, np.ndarray] = {"class": np.array(CLASSES)[_array(self.code)]}
        for name in ("exponent", "error", "index", "step_error", "dt"):
            columns[name] = _array(getattr(self, name))
        columns["reason"] = np.array(REASONS, dtype=object)[_array(self.reason)]
        return pd.DataFrame(columns).rename_axis("orbit")


def _array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.detach().reshape(-1).cpu().numpy()
    return array
