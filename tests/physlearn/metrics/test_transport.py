"""Wasserstein's distance on a circle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from physlearn.metrics.transport import transport


@given(seed=st.integers(0, 10**6), n=st.integers(1, 12), period=st.sampled_from([1.0, 360.0, 1e-9]))
def test_it_is_the_cost_of_the_best_assignment_by_the_shortest_ways(seed, n, period):
    random = np.random.default_rng(seed)
    a, b = period * random.uniform(-3, 3, (2, n))
    a = a.mean() + 0.3 * (a - a.mean()) if seed % 2 else a
    ways = np.abs((a[:, None] - b + period / 2) % period - period / 2)
    expected = ways[linear_sum_assignment(ways)].mean()
    share = np.full(n, 1 / n)
    assert transport(a, b, share, share, period) == pytest.approx(expected, rel=1e-9, abs=1e-12 * period)


def test_weights_count_as_repetitions():
    a, b = np.array([0.1, 0.9]), np.array([0.2, 0.5])
    repeated = transport(np.array([0.1, 0.1, 0.1, 0.9]), np.array([0.2, 0.5, 0.5, 0.5]), *np.full((2, 4), 0.25), 1.0)
    assert transport(a, b, np.array([0.75, 0.25]), np.array([0.25, 0.75]), 1.0) == pytest.approx(repeated)


def test_on_a_line_nothing_goes_round():
    a, b = np.array([0.1]), np.array([0.9])
    assert transport(a, b, np.ones(1), np.ones(1)) == pytest.approx(0.8)
    assert transport(a, b, np.ones(1), np.ones(1), 1.0) == pytest.approx(0.2)
