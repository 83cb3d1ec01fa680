import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from physlearn.activations.compiled import CODES, TABLE, activate, look_up
from physlearn.activations.named import find

NAMED = sorted(set(CODES) - {"table"})
EPS = np.finfo(np.float32).eps


def derivatives(name, x):
    """Value, first and second derivative by the loops, in float32."""
    x = np.atleast_1d(np.asarray(x, np.float32))
    out = np.empty((3, len(x)), np.float32)
    spare = np.empty_like(out)
    activate(CODES[name], 0, x, len(x), out, spare, 0)
    activate(CODES[name], 1, x, len(x), out, spare, 1)
    activate(CODES[name], 1, x, len(x), spare, out, 2)
    return out


def expected(name, x):
    """The same by torch in float64."""
    function, x = find(name), torch.from_numpy(np.atleast_1d(x).astype(np.float64))
    return torch.stack([function.value(x), function.first(x), function.second(x)]).numpy()


@pytest.fixture(scope="module")
def splines():
    """Two functions and their tables of cubic pieces, with linear rows before and after."""
    start, step, cells = -4.0, 0.1, 80
    knots = start + step * np.arange(cells + 1)
    functions, tables = (), []
    for f in (np.sin, np.tanh):
        spline = CubicSpline(knots, f(knots))
        inner = spline.c[::-1].T * step ** np.arange(4)
        slopes = step * spline(knots, 1)
        before, after = [spline(start) - slopes[0], slopes[0], 0, 0], [spline(-start), slopes[-1], 0, 0]
        tables.append(np.concatenate([[before], inner, [after]]))
        functions += (spline,)
    return functions, np.stack(tables), start, 1 / step


@pytest.mark.parametrize("name", NAMED)
def test_a_function_and_its_derivatives_are_those_of_torch_in_double_precision(name):
    x = np.linspace(-30, 30, 60_001, dtype=np.float32) + np.float32(1e-4)
    # Rounding: a few units in the last place of the result, or of one where sine and logistic are sums of such terms.
    np.testing.assert_allclose(derivatives(name, x), expected(name, x), rtol=2 * EPS, atol=4 * EPS)


@pytest.mark.parametrize(("most", "error"), [(1e3, 2e-7), (1e4, 1e-4)])
def test_sine_is_right_far_from_zero(most, error):
    x = np.random.default_rng(0).uniform(-most, most, 200_000).astype(np.float32)
    assert abs(derivatives("sine", x) - expected("sine", x)).max() < error


def test_sine_stays_between_one_and_minus_one_wherever_its_phase_is_lost():
    x = np.float32(10.0) ** np.arange(5, 39, dtype=np.float32)
    assert abs(derivatives("sine", x)).max() <= 1 + EPS


@pytest.mark.parametrize("name", ["tanh", "elu", "silu", "sine"])
def test_small_arguments_keep_all_their_digits(name):
    x = np.float32([1e-30, -1e-12, 3e-6, -1e-3, 0.02, -0.02])
    np.testing.assert_allclose(derivatives(name, x)[0], expected(name, x)[0], rtol=4 * EPS)


@given(name=st.sampled_from(NAMED), x=st.floats(-80, 80, width=32))
def test_any_argument_gives_the_value_and_derivatives_of_torch(name, x):
    np.testing.assert_allclose(derivatives(name, x), expected(name, np.float32(x)), rtol=4 * EPS, atol=4 * EPS)


@pytest.mark.parametrize("name", NAMED)
def test_nan_comes_out_as_nan_and_infinity_is_not_hidden(name):
    assert np.isnan(derivatives(name, [np.nan] * 33)).all()
    assert not np.isfinite(derivatives(name, [np.inf, -np.inf])).any()


@pytest.mark.parametrize("name", NAMED)
def test_neighbours_in_a_vector_do_not_matter(name):
    x = np.random.default_rng(1).normal(size=77).astype(np.float32)
    hurt = x.copy()
    hurt[5] = np.nan
    others = np.arange(77) != 5
    np.testing.assert_array_equal(derivatives(name, x)[:, others], derivatives(name, hurt)[:, others])


def looked_up(splines, k, x):
    """Value, first and second derivative of table k by the loops of the networks."""
    _, tables, start, inverse = splines
    n = len(x)
    low, high = np.empty((2, n), np.float32), np.empty((2, n), np.float32)
    cells, c = np.empty(n, np.int32), np.empty(4 * n, np.float32)
    for order in (0, 1):
        look_up(tables.astype(np.float32), k, start, inverse, order, x.astype(np.float32), n, low, high, order, cells, c)
    np.testing.assert_array_equal(high[0], low[1])  # the first derivative, as the higher and as the lower of the two
    return low[0], low[1], high[1]


@pytest.mark.parametrize("k", [0, 1])
def test_a_table_is_its_spline_with_its_derivatives(splines, k):
    function = splines[0][k]
    x = np.linspace(-3.99, 3.99, 4001, dtype=np.float32)
    exact = [function(x.astype(np.float64), order) for order in range(3)]
    # Coefficients are rounded to EPS / 2 of themselves, or of the value as a float64 was; a derivative divides by the step.
    for found, wanted, tolerance in zip(looked_up(splines, k, x), exact, (16, 16, 32), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * EPS * max(1, np.abs(wanted).max()))


def test_a_table_goes_on_linearly_outside(splines):
    sine = splines[0][0]
    x = np.array([-1e3, -7.0, -4.5, 4.5, 7.0, 1e3])
    end = np.sign(x) * 4
    value, first, second = looked_up(splines, 0, x)
    np.testing.assert_allclose(value, sine(end) + sine(end, 1) * (x - end), rtol=1e-5)
    np.testing.assert_allclose(first, sine(end, 1), rtol=1e-5)
    assert (second == 0).all()


def test_a_table_gives_nan_for_nan_and_nothing_finite_for_infinity(splines):
    assert np.isnan(looked_up(splines, 0, np.full(40, np.nan))).all()
    assert not np.isfinite(looked_up(splines, 0, np.array([np.inf, -np.inf]))[0]).any()


def test_tables_come_last_so_that_their_numbers_are_free():
    assert max(CODES, key=CODES.__getitem__) == "table"
    assert CODES["table"] == TABLE
