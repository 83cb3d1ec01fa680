"""The 0-1 test for chaos, which needs a series alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi

import numpy as np
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.signals.series import scalar_series
from physlearn.metrics.match import evenly_spaced
from systems import InputError, Orbit
from systems.brief import Brief
from systems.scalars import seeded, whole

PART = 10  # displacements are considered up to a tenth of the series
SHORTEST = 100  # values
RANGE = (pi / 5, 4 * pi / 5)  # of the angles c; resonances are frequent outside
OVERSAMPLED = 10.0  # mean changes per range of the values from which on a series is too smooth
WANTED = 5.0  # such changes per range after leaving values out


@dataclass(frozen=True, eq=False, repr=False)
class ZeroOne(Brief):
    """The result of the 0-1 test.

    Parameters
    ----------
    K : shape ``(...)``
        The median of the correlations: about 0 for regular motion, and about 1 for chaos, or noise.
    correlations : shape ``(..., C)``
        The correlation with linear growth for each angle.
    angles : shape ``(C,)``
        The angles c.
    """

    K: Float[np.ndarray, "*batch"]
    correlations: Float[np.ndarray, "*batch C"]
    angles: Float[np.ndarray, " C"]


def zero_one_test(
    data: Orbit | Tensor,
    coordinate: str | int | None = None,
    *,
    every: int = 1,
    angles: int = 100,
    seed: int = 0,
) -> ZeroOne:
    r"""Test whether a series is chaotic.

    .. math:: P_c(n) = \sum_{j \le n} (\phi_j - \langle \phi \rangle) e^{i j c}, \qquad
        D_c(n) = \langle |P_c(j + n) - P_c(j)|^2 \rangle_j

    Driven by regular motion, P_c stays bounded; driven by chaos, it walks at random. The mean square displacement D_c then
    grows linearly, and K_c is its correlation with n. The result is the median over random angles c. It does not depend on the
    unit or the origin of the series: because the mean is subtracted from the series, the term by which Gottwald and Melbourne
    correct the displacement for it vanishes.

    Noise walks at random, too, so that K is about 1 for it. A series that is sampled too finely looks regular, and is refused
    if its mean change is below a tenth of its range.

    Parameters
    ----------
    data : Orbit, or shape ``(..., N)``
        The series, or orbits at equal time steps, of at least 100 values.
    coordinate
        Name or index of the coordinate of an orbit.
    every
        Only every so many values are used.
    angles
        Number of angles c.
    seed
        Random seed of the angles.

    Returns
    -------
    ZeroOne
        The median correlation K, and all correlations.

    Raises
    ------
    InputError
        For invalid arguments, gaps, angles, unequal time steps, constant series, or a series that is sampled too finely.

    References
    ----------
    Gottwald and Melbourne, SIAM J. Appl. Dyn. Syst. 8, 129 (2009).

    Examples
    --------
    >>> import systems
    >>> logistic = systems.maps.get("logistic", r=3.97)
    >>> print(f"{zero_one_test(logistic.orbit([0.3], 2000)).K:.1f}")
    1.0
    """
    if whole("every", every) < 1 or whole("angles", angles) < 1:
        raise InputError(f"every and angles must be at least 1, not {every} and {angles}")
    if isinstance(data, Orbit) and not evenly_spaced(data.t):
        raise InputError("the times of the orbit are not equally spaced; interpolate the orbit at equal time steps")
    phi = scalar_series(data, coordinate)[..., ::every]
    n = phi.shape[-1]
    if n < SHORTEST:
        raise InputError(f"the series has {n} values, but the test needs at least {SHORTEST}; give a longer one")
    _check_sampling(phi, every)
    drawn = np.random.default_rng(seeded(seed).initial_seed() % 2**63).uniform(*RANGE, angles)
    phi = phi / np.ptp(phi, axis=-1, keepdims=True)  # so that no square overflows or vanishes
    flat = (phi - phi.mean(-1, keepdims=True)).reshape(-1, n)
    correlations = np.stack([_correlations(one, drawn) for one in flat]).reshape(*phi.shape[:-1], angles)
    return ZeroOne(np.median(correlations, axis=-1), correlations, drawn)


def _check_sampling(phi: Float[np.ndarray, "*batch N"], every: int) -> None:
    change, extent = np.abs(np.diff(phi, axis=-1)).mean(-1), np.ptp(phi, axis=-1)
    if not (extent > 0).all():
        raise InputError("the series is constant, so that there is nothing to test")
    finest = float((extent / change).max())
    if finest > OVERSAMPLED:
        raise InputError(
            f"the series is sampled too finely, with {finest:.0f} mean changes within its range, and chaos would look "
            f"regular; use fewer of its values, such as every={ceil(every * finest / WANTED)}, or the points of a section"
        )


def _correlations(phi: Float[np.ndarray, " N"], angles: Float[np.ndarray, " C"]) -> Float[np.ndarray, " C"]:
    """Return the correlation of the mean square displacement with the time, for each angle and a series of mean 0."""
    n = len(phi)
    lags = n // PART
    j = np.arange(1, n + 1)
    walk = np.cumsum(phi * np.exp(1j * np.outer(angles, j)), axis=1)
    walk -= walk.mean(1, keepdims=True)  # differences do not change, and cancel less
    kept = n - lags
    square = np.concatenate([np.zeros((len(angles), 1)), np.cumsum(np.abs(walk) ** 2, axis=1)], axis=1)
    size = 2 ** int(np.ceil(np.log2(2 * n)))
    first = np.fft.fft(walk[:, :kept], size)
    product = np.fft.ifft(first.conj() * np.fft.fft(walk, size))[:, 1 : lags + 1].real
    time = np.arange(1, lags + 1)
    moved = (square[:, time + kept] - square[:, time] + square[:, kept, None] - 2 * product) / kept
    growth = moved - moved.mean(1, keepdims=True)
    centred = time - time.mean()
    return np.asarray((growth @ centred) / np.sqrt((growth**2).sum(1) * (centred**2).sum()))
