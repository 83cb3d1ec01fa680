"""Estimate the number of states per turn: from states or from rates, with noise or without.

Before smoothing, states have noise: `of_noisy` finds the frequency under white noise of any size, but knows a single one, so
it decides only whether noise and motion can be told apart at all. `of_steps` takes noise for motion, so it never gives more
states per turn than there are, and warns of states that are too far apart. After smoothing, rates are known: `of_rates` uses
them, and is the estimate by which windows and losses are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def of_noisy(signals: Sequence[Float[np.ndarray, " T"]]) -> float:
    r"""Return the number of values in which an oscillation turns once, whatever the noise is.

    For an oscillation with white noise, the correlations of neighbours at one and two steps are :math:`r_1 = a \cos\omega`
    and :math:`r_2 = a \cos 2\omega`, from which Pisarenko (Geophys. J. R. Astron. Soc. 33, 347, 1973) found omega.
    """
    products = [
        sum(float(x[lag:] @ x[: len(x) - lag]) for x in signals) / max(1, sum(len(x) - lag for x in signals if len(x) > lag))
        for lag in (1, 2)
    ]
    if products[0] <= 0:
        return 2.0 if products[0] < 0 else np.inf
    ratio = products[1] / products[0]
    cosine = (ratio + np.sqrt(ratio**2 + 8)) / 4
    return float(2 * np.pi / np.arccos(cosine)) if cosine < 1 else np.inf


def of_rates(z: Float[np.ndarray, "n D"], rate: Float[np.ndarray, "n D"], step: float) -> float:
    """Return the number of steps in the time in which the fastest coordinate oscillates once, from states and rates."""
    spread = np.nanstd(z, axis=0)
    moving = spread > 0
    if not moving.any():
        return np.inf
    fastest = float((np.sqrt(np.nanmean(np.square(rate), axis=0))[moving] / spread[moving]).max())
    return 2 * np.pi / (fastest * step) if fastest > 0 else np.inf


def of_steps(signals: Sequence[Float[np.ndarray, " T"]]) -> float:
    r"""Return the number of values per turn of an oscillation whose steps are as large as those of the signals.

    Its steps have :math:`\langle (x_{k+1} - x_k)^2 \rangle = 2 \sigma^2 (1 - \cos(2 \pi / n))`, and those of white noise are
    as large as for n = 4. It is infinite for signals that do not move.
    """
    steps, spread = np.concatenate([np.diff(x) for x in signals]), np.concatenate(signals).var()
    ratio = float(np.square(steps).mean() / spread) / 2 if len(steps) and spread > 0 else 0.0
    return 2 * np.pi / float(np.arccos(1 - min(2.0, ratio))) if ratio > 0 else np.inf
