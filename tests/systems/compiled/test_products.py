"""Products of small matrices against NumPy, for every number of registers, and for one column against many."""

import numpy as np
import pytest
from numba import njit

from systems.compiled.products import BLOCK, COLUMNS, add_narrow, add_outer, add_product, add_row

SHAPES = [(BLOCK, 3 * BLOCK), (7 * BLOCK, BLOCK)]
PRECISIONS = [np.float32, np.float64]


@njit
def product(A, x, y, width):
    add_product(A, x, y, width)


@njit
def outer(G, y, x, width):
    add_outer(G, y, x, width)


@njit
def narrow(A, x, y):
    add_narrow(A, x, y)


@njit
def row(a, x, y):
    add_row(a, x, y)


def arrays(precision, *shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype(precision) for shape in shapes]


def close(found, wanted):
    """To the rounding of some hundred terms of order one."""
    assert np.abs(found - wanted).max() < 300 * np.finfo(found.dtype).eps * max(1, np.abs(wanted).max())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("width", range(COLUMNS, 12 * COLUMNS, COLUMNS))
def test_products_are_those_of_numpy_and_touch_no_other_column(precision, shape, width):
    m, k = shape
    A, x, y, G = arrays(precision, (m, k), (k, 300), (m, 300), (m, k))
    for matrix, values, into in ((A, x, y), (A.T, y, x)):
        wanted = into.astype(float)
        wanted[:, :width] += matrix.astype(float) @ values[:, :width]
        product(matrix, values, into, width)
        close(into, wanted)
    wanted = G + y[:, :width].astype(float) @ x[:, :width].T
    outer(G, y, x, width)
    close(G, wanted)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(("m", "k"), [(16, 48), (48, 16), (112, 96)])
def test_a_column_alone_is_the_same_to_the_last_bit_as_among_others(precision, m, k):
    A, x, y = arrays(precision, (m, k), (k, 2 * COLUMNS), (m, 2 * COLUMNS))
    alone, wanted = np.ascontiguousarray(y[:, 3:4].T), y + A.astype(float) @ x
    narrow(A, x, y)
    close(y, wanted)
    row(np.ascontiguousarray(x[:, 3:4].T), np.ascontiguousarray(A.T), alone)
    np.testing.assert_array_equal(alone[0], y[:, 3])
