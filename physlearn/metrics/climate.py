"""Climate: what a long forecast gets right after it has lost the true orbit - where it goes, and how fast it varies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, pi

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.signal import welch
from torch import Tensor

from physlearn.metrics.match import check_coordinates, check_truth, common_periods
from physlearn.metrics.spread import relative, resolution, spreads, time_weights
from physlearn.metrics.transport import transport
from systems import InputError, Orbit
from systems.floats import takes_arrays

SEGMENTS = 8  # of the shorter orbit, one after the other; overlapping by half they are fifteen periodograms to average
SHORTEST = 8  # samples in a segment


def marginals(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch D"]:
    r"""Return how far the distribution of each coordinate along the forecast is from that along the true orbit.

    .. math:: d = \frac1{\sigma} \int |\hat F(x) - F(x)|\, dx

    This is Wasserstein's distance: how far the values must be moved on average, in units of the true standard deviation. It
    is the difference of the means where one distribution is the other shifted. The values of an angle are moved on the
    circle, whose period either orbit declares. Finite orbits of the same dynamics differ too: compare with the distance of
    another stretch of the truth.

    Parameters
    ----------
    forecast, truth : shapes ``(..., T, D)`` and ``(..., T', D)``
        Orbits that may differ in times and length. Each sample counts by the time that it stands for, which is not that of
        a gap.

    Returns
    -------
    Tensor, shape ``(..., D)``
        Infinite where a forecast is not finite, or misses a constant coordinate by more than rounding.

    Raises
    ------
    InputError
        For orbits of different coordinates or numbers, or a truth that is not finite.

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
    seen, true = _series(forecast, truth)
    periods = common_periods(forecast, truth)
    of_seen, of_true = (time_weights(orbit.t).numpy() for orbit in (forecast, truth))
    distances = [
        transport(a, b, of_seen, of_true, periods.get(truth.coordinates[i % truth.dim])) if np.isfinite(a).all() else np.inf
        for i, (a, b) in enumerate(zip(seen, true, strict=True))
    ]
    shape = (*truth.shape[:-1], 1, truth.dim)
    distance = torch.tensor(distances, dtype=torch.float64, device=truth.z.device).reshape(shape)
    return relative(distance, spreads(truth, periods), resolution(truth))[..., 0, :].to(truth.z.dtype)


def spectrum(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch D"]:
    r"""Return how little the power spectra of each coordinate along forecast and truth overlap, from 0 to 1.

    .. math:: d^2 = 1 - \sum_\omega \sqrt{\hat P(\omega) P(\omega)}, \qquad \sum_\omega P(\omega) = 1

    This is Hellinger's distance. Spectra are of the deviation from the mean, by Welch's method with Hann windows an eighth
    of the shorter orbit long, which is the reciprocal of the resolution in frequency. Their shape alone counts: the
    `marginals` tell the amplitude. An angle is seen by its place on the circle, whose period either orbit declares: the
    powers of its cosine and its sine add, so that neither the turns nor the origin matter. Two stretches of noise, or of
    chaos, are about 0.15 apart: compare with the distance of another stretch of the truth.

    Parameters
    ----------
    forecast, truth : shapes ``(..., T, D)`` and ``(..., T', D)``
        Orbits that may differ in length, but not in their steps.

    Returns
    -------
    Tensor, shape ``(..., D)``
        A constant has no spectrum: its distance is 0 from a constant and 1 from anything else, as it is where a forecast is
        not finite.

    Raises
    ------
    InputError
        For times that are not evenly spaced, or not by as much in both, fewer than 64 of them, orbits of different
        coordinates or numbers, or a truth that is not finite.

    References
    ----------
    Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967); the distance as of Mikhaeil, Monfared, Durstewitz, NeurIPS 35
    (2022).

    Examples
    --------
    >>> t = torch.linspace(0, 100, 1001)
    >>> slow, fast = (Orbit(t, (w * t).sin()[:, None]) for w in (1.0, 3.0))
    >>> print(f"{float(spectrum(slow, slow)):.2f} {float(spectrum(fast, slow)):.2f}")
    0.00 1.00
    """
    _check_step(forecast, truth)
    segment = min(len(forecast.t), len(truth.t)) // SEGMENTS
    if segment < SHORTEST:
        raise InputError(f"a spectrum needs at least {SEGMENTS * SHORTEST} times, not {min(len(forecast.t), len(truth.t))}")
    seen, _ = _series(forecast, truth)
    lost = ~np.isfinite(seen).all(-1)
    whole = replace(forecast, z=forecast.z.where(forecast.z.isfinite().all(-2, keepdim=True), 0.0))
    periods = common_periods(forecast, truth)
    p, q = (_power(orbit, periods, segment) for orbit in (whole, truth))
    distance = hellinger_distance(torch.from_numpy(p), torch.from_numpy(q)).numpy()
    still = ~p.any(-1), ~q.any(-1)
    distance = np.where(still[0] | still[1], (still[0] ^ still[1]).astype(float), distance)
    distance = np.where(lost, 1.0, distance)
    return torch.from_numpy(distance).to(truth.z).reshape(*truth.shape[:-1], truth.dim)


def _series(forecast: Orbit, truth: Orbit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values of each coordinate of each orbit over time, ``(n D, T)``, of both."""
    check_coordinates(forecast, truth)
    if forecast.shape[:-1] != truth.shape[:-1]:
        raise InputError(f"{tuple(forecast.shape[:-1])} orbits were forecast, {tuple(truth.shape[:-1])} are true")
    check_truth(truth)
    return _rows(forecast.z), _rows(truth.z)


def _rows(z: Float[Tensor, "*batch T D"]) -> NDArray[np.float64]:
    rows: NDArray[np.float64] = z.detach().cpu().double().mT.reshape(-1, z.shape[-2]).numpy()
    return rows


def _check_step(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless all steps are the same, but for the rounding of the times."""
    steps = [orbit.t.double().cpu().diff() for orbit in (forecast, truth)]
    if min(map(len, steps)) == 0:
        return  # a single time has no step; it is too few, as the caller says
    every = torch.cat(steps)
    rounding = max(float(orbit.t.abs().max()) * torch.finfo(orbit.t.dtype).eps for orbit in (forecast, truth))
    if float(every.max() - every.min()) > 4 * rounding + 1e-6 * float(every.abs().max()):
        raise InputError("a spectrum needs evenly spaced times, by the same step in the forecast and the truth")


def _power(orbit: Orbit, periods: Mapping[str, float], segment: int) -> NDArray[np.float64]:
    """The share of each frequency but zero in the power of each coordinate of each orbit; zeros for a constant."""
    spread = _rows(spreads(orbit, periods).unsqueeze(-2))  # of one time
    if len(spread) == 0:
        return np.zeros((0, segment // 2))
    z = orbit.z.double() - orbit.z[..., :1, :].double()  # an offset costs no digits
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
    r"""How little two distributions over K cells overlap: 0 where they are equal, 1 where they share no cell.

    .. math:: d = \sqrt{\tfrac12 \sum_k (\sqrt{p_k} - \sqrt{q_k})^2}, \qquad d^2 = 1 - \sum_k \sqrt{p_k q_k}

    p, q: probabilities, each with the sum 1 on its last axis.
    Source: Hellinger, J. reine angew. Math. 136, 210 (1909).
    """
    return ((p.sqrt() - q.sqrt()).square().sum(-1) / 2).clamp(max=1).sqrt()
