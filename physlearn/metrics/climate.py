"""Statistics that a long forecast can match after it has lost the true orbit: distributions and power spectra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, nan, pi

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.signal import welch
from torch import Tensor

from physlearn.metrics.match import check_coordinates, check_orbits, check_truth, common_periods, evenly_spaced
from physlearn.metrics.measured import each_coordinate, one
from physlearn.metrics.spread import relative, resolution, spreads, time_weights
from physlearn.metrics.transport import transport
from systems import InputError, Orbit
from systems.floats import takes_arrays

SEGMENTS = 8  # consecutive segments of the shorter orbit; overlapping by half, they give 15 periodograms to average
SHORTEST = 8  # fewest samples in a segment


def marginals(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch D"]:
    r"""Return the distance between the distributions of each coordinate along the forecast and along the true orbit.

    .. math:: d = \frac1{\sigma} \int |\hat F(x) - F(x)|\, dx

    This is the Wasserstein distance: the mean distance by which values must be moved, in units of the true standard deviation.
    If one distribution is a shifted copy of the other, it is the difference of the means. Angles are moved on the circle,
    whose period is declared by either orbit. Two finite orbits of the same dynamics also differ, so compare the result with
    the distance of another stretch of the truth.

    Parameters
    ----------
    forecast, truth : shapes ``(..., T, D)`` and ``(..., T', D)``
        Orbits, which may differ in times and length, and have times of their own. Each sample is weighted by the time that it
        represents, not counting gaps. NaN in the truth was not measured, and does not count.

    Returns
    -------
    Tensor, shape ``(..., D)``
        Distances; infinite if the forecast is not finite, or misses a constant coordinate by more than rounding; NaN for a
        coordinate that was never measured.

    Raises
    ------
    InputError
        If the orbits differ in coordinates or number, or the truth is infinite.

    Notes
    -----
    Use it for chaotic forecasts beyond the valid time: it tells whether a forecast visits the same values as the truth.

    References
    ----------
    Vallender, Theory Probab. Appl. 18, 784 (1974).

    Examples
    --------
    >>> t = torch.linspace(0, 10, 101)
    >>> truth, off = (Orbit(t, mean + t.sin()[:, None]) for mean in (0.0, 0.5))
    >>> bool((marginals(off, truth) * truth.z.std(0, correction=0) - 0.5).abs() < 1e-6)
    True
    """
    _check_alike(forecast, truth)
    periods = common_periods(forecast, truth)
    distances = [
        _marginal(one(forecast, i), measured, periods)
        for i in range(truth.shape[:-1].numel())
        for measured in each_coordinate(one(truth, i))
    ]
    return torch.tensor(distances, dtype=truth.z.dtype, device=truth.z.device).reshape(*truth.shape[:-1], truth.dim)


def spectrum(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch D"]:
    r"""Return the Hellinger distance between the power spectra of each coordinate along forecast and truth.

    .. math:: d^2 = 1 - \sum_\omega \sqrt{\hat P(\omega) P(\omega)}, \qquad \sum_\omega P(\omega) = 1

    The spectra of the deviations from the mean are estimated by Welch's method. The Hann windows are an eighth of the shorter
    orbit long, and the frequency resolution is the inverse of this length. Only the shape of a spectrum counts; `marginals`
    compares the amplitudes. For an angle, whose period is declared by either orbit, the powers of its cosine and its sine are
    added, so that neither whole turns nor the origin matter. Two stretches of noise or chaos are about 0.15 apart, so compare
    the result with the distance of another stretch of the truth.

    Parameters
    ----------
    forecast, truth : shapes ``(..., T, D)`` and ``(..., T', D)``
        Orbits, which may differ in length, but must have the same time step.

    Returns
    -------
    Tensor, shape ``(..., D)``
        Distances from 0 to 1. A constant has no spectrum: its distance is 0 from another constant and 1 from anything else.
        The distance of a forecast that is not finite is 1.

    Raises
    ------
    InputError
        If the times are not evenly spaced with the same step in both, if there are fewer than 64 of them, if the orbits
        differ in coordinates or number, or if the truth is not finite.

    Notes
    -----
    Use it for chaotic forecasts beyond the valid time: it tells whether a forecast has the same rhythms as the truth.

    References
    ----------
    Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967); the distance follows Mikhaeil, Monfared, Durstewitz, NeurIPS 35
    (2022).

    Examples
    --------
    >>> t = torch.linspace(0, 100, 1001)
    >>> slow, fast = (Orbit(t, (w * t).sin()[:, None]) for w in (1.0, 3.0))
    >>> print(f"{float(spectrum(slow, slow)):.2f} {float(spectrum(fast, slow)):.2f}")
    0.00 1.00
    """
    check_orbits(forecast, truth)
    _check_step(forecast, truth)
    segment = min(len(forecast.t), len(truth.t)) // SEGMENTS
    if segment < SHORTEST:
        raise InputError(f"a spectrum needs at least {SEGMENTS * SHORTEST} times, not {min(len(forecast.t), len(truth.t))}")
    _check_alike(forecast, truth)
    check_truth(truth)
    lost = ~np.isfinite(_rows(forecast.z)).all(-1)
    whole = replace(forecast, z=forecast.z.where(forecast.z.isfinite().all(-2, keepdim=True), 0.0))
    periods = common_periods(forecast, truth)
    p, q = (_power(orbit, periods, segment) for orbit in (whole, truth))
    distance = hellinger_distance(torch.from_numpy(p), torch.from_numpy(q)).numpy()
    still = ~p.any(-1), ~q.any(-1)
    distance = np.where(still[0] | still[1], (still[0] ^ still[1]).astype(float), distance)
    distance = np.where(lost, 1.0, distance)
    return torch.from_numpy(distance).to(truth.z).reshape(*truth.shape[:-1], truth.dim)


def _marginal(forecast: Orbit, truth: Orbit, periods: Mapping[str, float]) -> float:
    """Return the distance of one forecast from a single coordinate of one truth, at the times when this was measured."""
    if truth.z.isnan().any():
        return nan
    (name,) = truth.coordinates
    seen, true = _rows(forecast.z)[forecast.index(name)], _rows(truth.z)[0]
    if not np.isfinite(seen).all():
        return inf
    of_seen, of_true = (time_weights(orbit.t).numpy() for orbit in (forecast, truth))
    own = {name: periods[name]} if name in periods else {}
    distance = torch.tensor([[transport(seen, true, of_seen, of_true, own.get(name))]], dtype=torch.float64)
    return float(relative(distance.to(truth.z.device), spreads(truth, own), resolution(truth)))


def _check_alike(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both have the same coordinates and number of orbits, and no truth is infinite."""
    check_coordinates(forecast, truth)
    if forecast.shape[:-1] != truth.shape[:-1]:
        raise InputError(
            f"the forecast has the batch shape {tuple(forecast.shape[:-1])} and the truth {tuple(truth.shape[:-1])}; "
            "give as many orbits of each"
        )
    if truth.z.isinf().any():
        raise InputError("the truth has states that are not finite where it was measured; compare with one that is")


def _rows(z: Float[Tensor, "*batch T D"]) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = z.detach().cpu().double().mT.reshape(-1, z.shape[-2]).numpy()
    return rows


def _check_step(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless all steps of both orbits are equal."""
    if not evenly_spaced(forecast.common_times, truth.common_times):
        raise InputError("a spectrum needs evenly spaced times with the same step in the forecast and the truth")


def _power(orbit: Orbit, periods: Mapping[str, float], segment: int) -> NDArray[np.float64]:
    """Return the normalized power at each nonzero frequency, for each coordinate of each orbit; zeros for a constant."""
    spread = _rows(spreads(orbit, periods).unsqueeze(-2))  # as a series of one time
    if len(spread) == 0:
        return np.zeros((0, segment // 2))
    z = orbit.z.double() - orbit.z[..., :1, :].double()  # avoids a loss of digits to a large offset
    turns = z.new_tensor([2 * pi / periods.get(name, inf) for name in orbit.coordinates])
    rows = [_rows(z.where(turns == 0, (turns * z).sin()))]
    if periods:
        rows.append(_rows(torch.where(turns == 0, 0.0, (turns * z).cos())))
    power = np.zeros((len(spread), segment // 2))
    for series in rows:
        deviation = (series - series.mean(-1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
        power = power + welch(deviation, nperseg=segment, detrend=False)[1][:, 1:]
    total = power.sum(-1, keepdims=True)
    constant = (spread == 0) | (total == 0)
    return np.where(constant, 0.0, power / np.where(constant, 1.0, total))


@takes_arrays("p", "q")
def hellinger_distance(p: Float[Tensor, "*batch K"], q: Float[Tensor, "*batch K"]) -> Float[Tensor, "*batch"]:
    r"""Return the Hellinger distance between two distributions over K cells.

    .. math:: d = \sqrt{\tfrac12 \sum_k (\sqrt{p_k} - \sqrt{q_k})^2}, \qquad d^2 = 1 - \sum_k \sqrt{p_k q_k}

    Parameters
    ----------
    p, q : shape ``(..., K)``
        Probabilities, which sum to 1 along the last axis.

    Returns
    -------
    Tensor, shape ``(...)``
        Distances, from 0 for equal distributions to 1 for distributions that share no cell.

    Notes
    -----
    Use it to compare histograms, for example of the cells of an attractor that two orbits visit.

    References
    ----------
    Hellinger, J. reine angew. Math. 136, 210 (1909).
    """
    return ((p.sqrt() - q.sqrt()).square().sum(-1) / 2).clamp(max=1).sqrt()
