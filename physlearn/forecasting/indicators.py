"""Indicators of chaos by name, for the tables of long runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos import fli, frequency_drift, megno
from physlearn.flow import FlowLike
from systems import InputError

INDICATORS: dict[str, Callable[..., Tensor]] = {"megno": megno, "fli": fli, "frequency-drift": frequency_drift}
SEEDED = ("megno", "fli")  # those that follow a deviation vector


def check(names: Sequence[str]) -> None:
    """Raise InputError if an indicator is unknown."""
    for name in names:
        if name not in INDICATORS:
            raise InputError(f"there is no indicator {name!r}; choose from {', '.join(INDICATORS)}")


def measured(
    flow: FlowLike, z0: Float[Tensor, "n D"], time: float, dt: float | None, seed: int, names: Sequence[str]
) -> pd.DataFrame:
    """Return a table of the indicators of some orbits, one column per indicator and one row per orbit.

    Parameters
    ----------
    flow, z0, time, dt, seed
        As for `~physlearn.chaos.megno`.
    names
        Names of the indicators.

    Returns
    -------
    DataFrame
        The values; NaN for orbits that escape.
    """
    columns = {}
    for name in names:
        options = {"seed": seed} if name in SEEDED else {}
        columns[name] = INDICATORS[name](flow, z0, time, dt=dt, **options).double().cpu().numpy()
    return pd.DataFrame(columns)
