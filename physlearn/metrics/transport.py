"""The Wasserstein distance between two sets of values, on a line or on a circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

Values = NDArray[np.float64]


def transport(a: Values, b: Values, of_a: Values, of_b: Values, period: float | None = None) -> float:
    r"""Return the mean distance by which values must be moved to turn one distribution into the other.

    .. math:: d = \min_m \int |F_a(x) - F_b(x) - m|\, dx

    On a line m is 0. On a circle with the given period, the integral goes once around the circle and m is the flow through
    the cut, a median of the difference.

    Parameters
    ----------
    a, b : shapes ``(M,)`` and ``(N,)``
        Values.
    of_a, of_b : shapes ``(M,)`` and ``(N,)``
        Weights of the values, which sum to 1 for each.
    period
        The length of the circle, if the values are angles.

    Returns
    -------
    float
        The distance, in the unit of the values.

    References
    ----------
    Vallender, Theory Probab. Appl. 18, 784 (1974); Rabin, Delon, Gousseau, J. Math. Imaging Vis. 41, 147 (2011).
    """
    if period is None:
        return float(wasserstein_distance(a, b, of_a, of_b))
    x = np.concatenate([a, b]) % period
    order = np.argsort(x, kind="stable")
    x = x[order]
    lengths = np.diff(x, append=x[0] + period)
    flow = np.concatenate([of_a, -of_b])[order].cumsum()
    ranked = np.argsort(flow)
    median = flow[ranked[np.searchsorted(lengths[ranked].cumsum(), lengths.sum() / 2)]]
    return float((lengths * np.abs(flow - median)).sum())
