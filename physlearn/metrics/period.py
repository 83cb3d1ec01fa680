"""Period and amplitude of an oscillation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metrics.cycles import Stretch, mean_cycle, stretches
from systems import Orbit


def period(orbit: Orbit, coordinate: int | str = 0) -> Float[Tensor, "*batch"]:
    """Return the mean period of a coordinate, in units of t.

    A period is the time between two upward crossings of the middle of the coordinate's range, or a whole turn of an angle
    that the orbit declares one and that rotates. The crossings are found on cubic splines, to fourth order in the step.
    Swings smaller than a fifth of the largest are noise about the middle. A period across a gap, a step longer than a quarter
    of a typical period and than the other steps, does not count. Cut off a transient before.

    Parameters
    ----------
    orbit : states of shape ``(..., T, D)``
        Orbits, at even or uneven times.
    coordinate
        Name or index; defaults to the first.

    Returns
    -------
    Tensor, shape ``(...)``
        NaN without two upward swings in a stretch of time without a gap, for an angle that tumbles to and fro, and where the
        orbit is not finite.

    Raises
    ------
    InputError
        For a coordinate that the orbit does not have.

    Examples
    --------
    >>> t = torch.linspace(0, 20, 201)
    >>> print(f"{period(Orbit(t, torch.sin(2 * torch.pi * t / 3)[:, None])):.4f}")
    3.0000
    """
    means = [mean_cycle(found) for found in stretches(orbit, coordinate)]
    return torch.tensor(means, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def amplitude(orbit: Orbit, coordinate: int | str = 0) -> Float[Tensor, "*batch"]:
    """Return half of the mean distance between the maxima and the minima of the coordinate.

    Extremes are found between the samples too, on the same splines as the `period`, with the same errors, and not in gaps.
    NaN where there is not one of each, as for an angle that rotates.

    >>> t = torch.linspace(0, 20, 41)
    >>> print(f"{amplitude(Orbit(t, 2 + 0.7 * t.cos()[:, None])):.3f}")
    0.700
    """
    heights = [_mean_height(found) for found in stretches(orbit, coordinate)]
    return torch.tensor(heights, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def _mean_height(found: Sequence[Stretch]) -> float:
    extremes = np.concatenate([stretch.extremes for stretch in found]) if found else np.empty(0)
    high, low = extremes[extremes > 0], extremes[extremes < 0]
    return float((high.mean() - low.mean()) / 2) if len(high) and len(low) else float("nan")
