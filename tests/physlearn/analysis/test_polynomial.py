"""Polynomial fits of activation curves err as approximation theory says."""

import pytest
import torch
from scipy.special import jv

from physlearn.activations import Table
from physlearn.analysis import polynomial_fits
from systems import InputError


def test_a_polynomial_is_fitted_exactly_from_its_own_degree_on():
    fits = polynomial_fits(lambda x: (x / 10) ** 7 - 2 * (x / 10) ** 2)
    assert list(fits.index) == list(range(1, 21))
    assert (fits.loc[7:, "max_error"] < 1e-10).all()
    assert (fits.loc[:6, "max_error"] > 1e-3).all()


def test_the_errors_of_a_sine_are_the_tails_of_its_chebyshev_series():
    """The coefficients of sin(10 u) are 2 J_k(10) for odd k; the best fit errs at most by their sum beyond the order."""
    fits = polynomial_fits(torch.sin)
    for order, row in fits.iterrows():
        tail = [2 * abs(jv(k, 10)) for k in range(order + 1, 60) if k % 2]
        assert row["max_error"] < 3 * sum(tail)  # least squares at equal distances err more than the best fit, at the ends
        assert row["max_error"] > 0.3 * tail[0]
    assert fits.loc[10, "max_error"] > 0.1 > 0.01 > fits.loc[15, "max_error"]


def test_a_table_is_fitted_and_errors_between_its_points_count():
    table = Table.capture(torch.tanh, points=100)
    fits = polynomial_fits(table, orders=[5, 15])
    assert fits.loc[15, "rms_error"] < fits.loc[5, "rms_error"]
    few = polynomial_fits(lambda x: 1 / (1 + x.square()), points=21, orders=[20])
    assert few.loc[20, "max_error"] > 10  # Runge's example: exact at the points


def test_fits_that_cannot_be_are_refused():
    for arguments, said in (
        ({"orders": [100]}, "orders from 0 to 99"),
        ({"orders": []}, "order"),
        ({"interval": (1, 1)}, "interval"),
    ):
        with pytest.raises(InputError, match=said):
            polynomial_fits(torch.sin, **arguments)
