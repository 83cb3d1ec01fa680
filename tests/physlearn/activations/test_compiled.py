import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from physlearn.activations.compiled import CODES, TABLE, activate, look_up, table_values
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


@given(x=st.floats(-3.999, 3.999), k=st.integers(0, 1))
def test_a_table_is_its_spline_with_its_derivatives(splines, x, k):
    functions, tables, start, inverse = splines
    found = table_values(np.full((1, 1), x), tables, np.array([k]), start, inverse, 2)
    np.testing.assert_allclose(np.ravel(found), [functions[k](x, order) for order in range(3)], rtol=1e-9, atol=1e-9)


def test_a_table_goes_on_linearly_outside(splines):
    (sine, _), tables, start, inverse = splines
    x = np.array([[-1e3, -7.0, -4.5, 4.5, 7.0, 1e3]])
    end = np.sign(x) * 4
    value, first, second = table_values(x, tables, np.array([0]), start, inverse, 2)
    np.testing.assert_allclose(value, sine(end) + sine(end, 1) * (x - end), rtol=1e-12)
    np.testing.assert_allclose(first, sine(end, 1), rtol=1e-12)
    assert (second == 0).all()


def test_rows_take_their_own_table_and_orders_that_are_not_asked_for_are_empty(splines):
    functions, tables, start, inverse = splines
    x = np.random.default_rng(2).uniform(-4, 4, (5, 11))
    which = np.array([1, 0, 0, 1, 0])
    value, first, second = table_values(x, tables, which, start, inverse, 0)
    np.testing.assert_allclose(value, [functions[k](row) for k, row in zip(which, x, strict=True)], rtol=1e-9, atol=1e-9)
    assert first.shape == second.shape == (0, 11)


def test_a_table_in_single_precision_has_the_digits_of_its_arguments(splines):
    functions, tables, start, inverse = splines
    x = np.linspace(-3.99, 3.99, 4001, dtype=np.float32)[None]
    value, first, second = table_values(x, tables.astype(np.float32), np.array([0]), start, inverse, 2)
    assert value.dtype == first.dtype == second.dtype == np.float32
    exact = [functions[0](x.astype(np.float64), order) for order in range(3)]
    np.testing.assert_allclose(value, exact[0], atol=4 * EPS)
    # Coefficient k is rounded to EPS / 2 of itself, or of the value as a float64 was; a derivative divides by the step.
    np.testing.assert_allclose(first, exact[1], atol=4 * EPS)
    np.testing.assert_allclose(second, exact[2], atol=8 * EPS)


def test_tables_inside_a_network_are_the_same_as_outside(splines):
    _, tables, start, inverse = splines
    tables = tables.astype(np.float32)
    x = np.random.default_rng(3).normal(size=70).astype(np.float32) * 3
    low, high, cells = np.empty((2, 70), np.float32), np.empty((2, 70), np.float32), np.empty(70, np.int32)
    outside = table_values(x[None], tables, np.array([1]), start, inverse, 2)
    for order in (0, 1):
        look_up(tables, 1, start, inverse, order, x, 70, low, high, order, cells, np.empty(280, np.float32))
        np.testing.assert_allclose(low[order], outside[order][0], rtol=2 * EPS, atol=2 * EPS)
        np.testing.assert_allclose(high[order], outside[order + 1][0], rtol=2 * EPS, atol=2 * EPS)


def test_a_table_gives_nan_for_nan_and_nothing_finite_for_infinity(splines):
    _, tables, start, inverse = splines
    tables = tables.astype(np.float32)
    low, high, cells = np.empty((1, 40), np.float32), np.empty((1, 40), np.float32), np.empty(40, np.int32)
    for order in (0, 1):
        look_up(
            tables,
            0,
            start,
            inverse,
            order,
            np.full(40, np.nan, np.float32),
            40,
            low,
            high,
            0,
            cells,
            np.empty(160, np.float32),
        )
        assert np.isnan(low).all()
        assert np.isnan(high).all()
    assert np.isnan(table_values(np.array([[np.nan]]), tables.astype(float), np.array([0]), start, inverse, 2)).all()
    value, _, _ = table_values(np.array([[np.inf, -np.inf]]), tables.astype(float), np.array([0]), start, inverse, 0)
    assert not np.isfinite(value).any()


def test_tables_come_last_so_that_their_numbers_are_free():
    assert max(CODES, key=CODES.__getitem__) == "table"
    assert CODES["table"] == TABLE
