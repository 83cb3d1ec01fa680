"""Climate: what a long forecast gets right after it has lost the true orbit - where it goes, and how fast it varies."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.signal import welch
from scipy.stats import wasserstein_distance
from torch import Tensor

from physlearn.metrics.hellinger import hellinger_distance
from systems import InputError, Orbit

SEGMENTS = 8  # of the shorter orbit, one after the other; overlapping by half they are fifteen periodograms to average
SHORTEST = 8  # samples in a segment


def marginals(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch D"]:
    r"""How far the distribution of each coordinate along the forecast is from that along the true orbit, in its units.

    .. math:: d = \frac1{\sigma} \int |\hat F(x) - F(x)|\, dx

    Wasserstein's distance: how far the values must be moved on average, in units of the true standard deviation; the
    difference of the means, where one is the other shifted. The samples count equally: times should be evenly spaced. The
    orbits may differ in times and length. Finite orbits of the same dynamics differ too: see what another stretch of the
    truth gives. Infinite where a forecast is not finite.

    Raises InputError for orbits of different coordinates or numbers, or a truth that is not finite.
    Source: Vallender, Theory Probab. Appl. 18, 784 (1974).

    >>> t = torch.linspace(0, 10, 101)
    >>> truth, off = (Orbit(t, mean + t.sin()[:, None]) for mean in (0.0, 0.5))
    >>> bool((marginals(off, truth) * truth.z.std(0, correction=0) - 0.5).abs() < 1e-6)
    True
    """
    seen, true = _series(forecast, truth)
    values = [_moved(a, b) for a, b in zip(seen, true, strict=True)]
    return torch.tensor(values, dtype=truth.z.dtype, device=truth.z.device).reshape(*truth.shape[:-1], truth.dim)


def spectrum(forecast: Orbit, truth: Orbit) -> Float[Tensor, "*batch D"]:
    r"""How little the power spectra of each coordinate along forecast and truth overlap: Hellinger's distance, from 0 to 1.

    .. math:: d^2 = 1 - \sum_\omega \sqrt{\hat P(\omega) P(\omega)}, \qquad \sum_\omega P(\omega) = 1

    Spectra are of the deviation from the mean, by Welch's method with Hann windows an eighth of the shorter orbit long,
    which is the reciprocal of the resolution in frequency. Their shape alone counts: the `marginals` tell the amplitude.
    A constant has no spectrum: its distance is 0 from a constant and 1 from anything else, as it is where a forecast is not
    finite. The orbits may differ in length. Two stretches of noise, or of chaos, are about 0.15 apart: hold a distance against
    that of another stretch of the truth.

    Raises InputError for times that are not evenly spaced, or not by as much in both, fewer than 64 of them, orbits of
    different coordinates or numbers, or a truth that is not finite.
    Source: Welch, IEEE Trans. Audio Electroacoust. 15, 70 (1967); the distance as of Mikhaeil, Monfared, Durstewitz,
    NeurIPS 35 (2022).

    >>> t = torch.linspace(0, 100, 1001)
    >>> slow, fast = (Orbit(t, (w * t).sin()[:, None]) for w in (1.0, 3.0))
    >>> print(f"{float(spectrum(slow, slow)):.2f} {float(spectrum(fast, slow)):.2f}")
    0.00 1.00
    """
    _check_step(forecast, truth)
    segment = min(len(forecast.t), len(truth.t)) // SEGMENTS
    if segment < SHORTEST:
        raise InputError(f"a spectrum needs at least {SEGMENTS * SHORTEST} times, not {min(len(forecast.t), len(truth.t))}")
    seen, true = _series(forecast, truth)
    lost = ~np.isfinite(np.abs(seen).max(-1, keepdims=True))
    p, q = (_power(series, segment) for series in (np.where(lost, 0.0, seen), true))
    distance = hellinger_distance(torch.from_numpy(p), torch.from_numpy(q)).numpy()
    still = ~p.any(-1), ~q.any(-1)
    distance = np.where(still[0] | still[1], (still[0] ^ still[1]).astype(float), distance)
    distance = np.where(lost[:, 0], 1.0, distance)
    return torch.from_numpy(distance).to(truth.z).reshape(*truth.shape[:-1], truth.dim)


def _series(forecast: Orbit, truth: Orbit) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The values of each coordinate of each orbit over time, ``(n D, T)``, of both."""
    if forecast.coordinates != truth.coordinates:
        raise InputError(f"the forecast has the coordinates {forecast.coordinates}, the truth {truth.coordinates}")
    if forecast.shape[:-1] != truth.shape[:-1]:
        raise InputError(f"{tuple(forecast.shape[:-1])} orbits were forecast, {tuple(truth.shape[:-1])} are true")
    if not torch.isfinite(truth.z).all():
        raise InputError("the truth holds states that are not finite numbers: nothing can be held against it")
    seen, true = (orbit.z.detach().cpu().double().mT.reshape(-1, len(orbit.t)).numpy() for orbit in (forecast, truth))
    return seen, true


def _moved(seen: NDArray[np.float64], true: NDArray[np.float64]) -> float:
    if not np.isfinite(seen).all():
        return np.inf
    distance = wasserstein_distance(seen, true)
    if distance == 0:
        return 0.0
    return float(distance / true.std()) if np.ptp(true) > 0 else np.inf


def _check_step(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless all steps are the same, but for the rounding of the times."""
    steps = [orbit.t.double().cpu().diff() for orbit in (forecast, truth)]
    if min(map(len, steps)) == 0:
        return  # a single time has no step; it is too few, as the caller says
    every = torch.cat(steps)
    rounding = max(float(orbit.t.abs().max()) * torch.finfo(orbit.t.dtype).eps for orbit in (forecast, truth))
    if float(every.max() - every.min()) > 4 * rounding + 1e-6 * float(every.abs().max()):
        raise InputError("a spectrum needs evenly spaced times, by the same step in the forecast and the truth")


def _power(series: NDArray[np.float64], segment: int) -> NDArray[np.float64]:
    """The share of each frequency but zero in the power of each series; zeros for a constant."""
    if len(series) == 0:
        return np.zeros((0, segment // 2))
    power = welch(series - series.mean(-1, keepdims=True), nperseg=segment, detrend=False)[1][:, 1:]
    total = power.sum(-1, keepdims=True)
    # the mean of a constant is rounded: what that leaves is no power
    constant = total <= (np.finfo(np.float64).eps * np.abs(series).max(-1, keepdims=True)) ** 2 * segment
    return np.where(constant, 0.0, power / np.where(constant, 1.0, total))
