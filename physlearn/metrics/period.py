"""Period and amplitude of an oscillation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.metrics.cycles import Stretch, mean_cycle, stretches
from physlearn.metrics.match import check_orbits
from physlearn.metrics.measured import without_holes
from systems import Orbit


def period(orbit: Orbit, coordinate: int | str = 0) -> Float[Tensor, "*batch"]:
    r"""Return the mean period of a coordinate, in units of t.

    .. math:: T = (t_n - t_0) / n, \qquad x(t_i) = \tfrac12 (x_{\max} + x_{\min}), \quad \dot x(t_i) > 0

    A period is the time between two upward crossings of the middle of the coordinate's range. For a rotating angle, which the
    orbit must declare as an angle, it is the time of a whole turn. The crossings are found on cubic splines, with fourth-order
    accuracy in the step. Swings smaller than a fifth of the largest are treated as noise. Periods that contain a gap, which is
    a step longer than a quarter of a typical period and longer than the other steps, are ignored. Remove a transient
    beforehand.

    Parameters
    ----------
    orbit : states of shape ``(..., T, D)``
        Orbits, with evenly or unevenly spaced times, which may differ from orbit to orbit. NaN that measured values follow
        was not measured, and does not count. NaN up to the end is an orbit that diverged; runs of different lengths, which
        ``Orbit.of`` fills up with NaN, are measured one by one, from ``orbit.separate()``.
    coordinate
        Name or index of the coordinate; defaults to the first.

    Returns
    -------
    Tensor, shape ``(...)``
        Mean periods; NaN for orbits that are not finite or are NaN up to the end, that lack two upward swings in a stretch
        without a gap, or whose angle rotates in both directions.

    Raises
    ------
    InputError
        If the orbit does not have the coordinate.

    Notes
    -----
    Use it for limit cycles and clocks: a small relative error of the period becomes a large error of the phase after many
    periods.

    Examples
    --------
    >>> t = torch.linspace(0, 20, 201)
    >>> print(f"{period(Orbit(t, torch.sin(2 * torch.pi * t / 3)[:, None])):.4f}")
    3.0000
    """
    check_orbits(orbit)
    means = [mean_cycle(stretches(one, coordinate)) for one in without_holes(orbit, orbit.index(coordinate))]
    return torch.tensor(means, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def amplitude(orbit: Orbit, coordinate: int | str = 0) -> Float[Tensor, "*batch"]:
    r"""Return half of the mean distance between the maxima and the minima of a coordinate.

    .. math:: A = \tfrac12 \bigl(\langle x_{\max} \rangle - \langle x_{\min} \rangle\bigr)

    The extremes are found on the same splines as in `period`, also between samples, with the same accuracy. Gaps are ignored.

    Parameters
    ----------
    orbit : states of shape ``(..., T, D)``
        Orbits, as in `period`.
    coordinate
        Name or index of the coordinate; defaults to the first.

    Returns
    -------
    Tensor, shape ``(...)``
        Amplitudes; NaN for orbits without a maximum and a minimum, such as those of a rotating angle.

    Raises
    ------
    InputError
        If the orbit does not have the coordinate.

    Notes
    -----
    Use it for limit cycles and other oscillations whose size matters more than their phase.

    Examples
    --------
    >>> t = torch.linspace(0, 20, 41)
    >>> print(f"{amplitude(Orbit(t, 2 + 0.7 * t.cos()[:, None])):.3f}")
    0.700
    """
    check_orbits(orbit)
    heights = [_mean_height(stretches(one, coordinate)) for one in without_holes(orbit, orbit.index(coordinate))]
    return torch.tensor(heights, dtype=orbit.z.dtype, device=orbit.z.device).reshape(orbit.shape[:-1])


def _mean_height(found: Sequence[Stretch]) -> float:
    extremes = np.concatenate([stretch.extremes for stretch in found]) if found else np.empty(0)
    high, low = extremes[extremes > 0], extremes[extremes < 0]
    return float((high.mean() - low.mean()) / 2) if len(high) and len(low) else float("nan")
