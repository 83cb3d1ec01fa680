"""Fit polynomials to a captured activation function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.polynomial import Chebyshev
from torch import Tensor

from physlearn.activations.table import INTERVAL, POINTS
from systems import InputError

ORDERS = range(1, 21)
BETWEEN = 20  # points per interval of the grid at which the error is evaluated


def polynomial_fits(
    function: Callable[[Tensor], Tensor],
    interval: Sequence[float] = INTERVAL,
    points: int = POINTS,
    orders: Iterable[int] = ORDERS,
) -> pd.DataFrame:
    """Fit polynomials to a function by least squares, and return their errors.

    The paper cautions against polynomials, because learned activations need orders above 10. So does a sine on [-10, 10]: its
    Chebyshev coefficients are Bessel functions J_k(10), which decrease only beyond k = 10. Outside the interval a polynomial
    diverges, faster for a higher order.

    Parameters
    ----------
    function
        Elementwise function, such as an activation.
    interval
        Ends of the interval, the lower one first; (-10, 10) by default.
    points
        Number of equally spaced points to which the polynomials are fitted, 100 by default, as for a table.
    orders
        Orders of the polynomials, 1 to 20 by default.

    Returns
    -------
    DataFrame
        One row per order, with the columns ``max_error`` and ``rms_error``: the errors over the whole interval, between the
        points as well, in units of the function.

    Raises
    ------
    InputError
        If an order is below 0 or not below the number of points, or the interval is empty.

    References
    ----------
    Methods of the paper.

    Examples
    --------
    >>> fits = polynomial_fits(torch.sin, orders=(5, 10, 15, 20))
    >>> fits["max_error"].round(5).to_dict()
    {5: 1.19612, 10: 0.36682, 15: 0.00174, 20: 1e-05}
    """
    orders = list(orders)
    low, high = interval
    if not low < high:
        raise InputError(f"the interval of a fit must have its lower end first, not {tuple(interval)}")
    if not orders or min(orders) < 0 or max(orders) >= points:
        raise InputError(f"a fit to {points} points needs orders from 0 to {points - 1}, not {orders}")
    at, everywhere = (torch.linspace(low, high, n, dtype=torch.float64) for n in (points, (points - 1) * BETWEEN + 1))
    with torch.no_grad():
        captured, truth = (function(x).double().numpy() for x in (at, everywhere))
    rows = []
    for order in orders:
        fit = Chebyshev.fit(at.numpy(), captured, order, domain=[low, high])
        off = np.abs(fit(everywhere.numpy()) - truth)
        rows.append({"order": order, "max_error": off.max(), "rms_error": np.sqrt(np.mean(off**2))})
    return pd.DataFrame(rows).set_index("order")
