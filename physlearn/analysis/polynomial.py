"""How well polynomials fit a captured activation function."""

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
BETWEEN = 20  # points in each interval of the grid, at which the error is taken


def polynomial_fits(
    function: Callable[[Tensor], Tensor],
    interval: Sequence[float] = INTERVAL,
    points: int = POINTS,
    orders: Iterable[int] = ORDERS,
) -> pd.DataFrame:
    """The errors of polynomials fitted to a function by least squares: a row an order, with ``max_error`` and ``rms_error``.

    function: elementwise, as an activation is. It is captured at equally spaced points as a table is; the errors are those
    on the whole interval, between the points too, in units of the function.

    The paper warns of polynomials: learned activations need orders above 10. So does a sine on [-10, 10]: its Chebyshev
    coefficients are Bessel functions J_k(10), which fall only beyond k = 10. Outside of the
    interval a polynomial leaves for infinity, as fast as its order tells.

    Raises InputError for orders below 0 or with as many coefficients as there are points, or an interval that is empty.
    Source: the paper's Methods.

    >>> fits = polynomial_fits(torch.sin, orders=(5, 10, 15, 20))
    >>> fits["max_error"].round(5).to_dict()
    {5: 1.19612, 10: 0.36682, 15: 0.00174, 20: 1e-05}
    """
    orders = list(orders)
    low, high = interval
    if not low < high:
        raise InputError(f"the interval of a fit goes from low to high, not {tuple(interval)}")
    if not orders or min(orders) < 0 or max(orders) >= points:
        raise InputError(f"a fit to {points} points has an order from 0 to {points - 1}, not {orders}")
    at, everywhere = (torch.linspace(low, high, n, dtype=torch.float64) for n in (points, (points - 1) * BETWEEN + 1))
    with torch.no_grad():
        captured, truth = (function(x).double().numpy() for x in (at, everywhere))
    rows = []
    for order in orders:
        fit = Chebyshev.fit(at.numpy(), captured, order, domain=[low, high])
        off = np.abs(fit(everywhere.numpy()) - truth)
        rows.append({"order": order, "max_error": off.max(), "rms_error": np.sqrt(np.mean(off**2))})
    return pd.DataFrame(rows).set_index("order")
