"""Sine, cosine and exponential function against forty digits."""

import mpmath
import numpy as np
import pytest

from systems.compiled import elementary
from systems.compiled.loops import loop


@loop()
def each(code, x, out):
    for i in range(x.size):
        if code == 0:
            out[i] = elementary.sine(x[i])
        elif code == 1:
            out[i] = elementary.cosine(x[i])
        else:
            out[i] = elementary.exponential(x[i])


def evaluated(code, x):
    out = np.empty(len(x))
    each(code, np.array(x, dtype=float), out)
    return out


def digits(function, x):
    with mpmath.workdps(60):
        return np.array([float(function(mpmath.mpf(float(value)))) for value in x])


@pytest.mark.parametrize(("code", "function"), [(0, mpmath.sin), (1, mpmath.cos)])
@pytest.mark.parametrize("scale", [1e-8, 1.0, 30.0, 1e5, 1e9, 1e14])
def test_sine_and_cosine_have_their_digits_at_any_angle(code, function, scale):
    x = np.random.default_rng(0).uniform(-scale, scale, 2000)
    assert np.abs(evaluated(code, x) - digits(function, x)).max() < 1.2e-16


def test_they_have_relative_accuracy_near_their_zeros():
    x = np.concatenate([np.pi * np.arange(-100, 100), np.nextafter(np.pi, [0, 4]), [1e-300, -0.0, 5e-324]])
    np.testing.assert_allclose(evaluated(0, x), digits(mpmath.sin, x), rtol=3e-16, atol=1e-30)
    x = np.pi * (np.arange(-100, 100) + 0.5)
    np.testing.assert_allclose(evaluated(1, x), digits(mpmath.cos, x), rtol=3e-16, atol=1e-30)


def test_the_exponential_function_has_relative_accuracy():
    x = np.concatenate([np.random.default_rng(0).uniform(-700, 709, 5000), np.linspace(-1, 1, 1001), [0.0, -708.0, 709.0]])
    np.testing.assert_allclose(evaluated(2, x), digits(mpmath.exp, x), rtol=4e-16)
    assert evaluated(2, [-800.0, 710.0, np.inf, -np.inf]).tolist() == [0.0, np.inf, np.inf, 0.0]


def test_angles_without_digits_and_what_is_no_number_are_not_numbers():
    for code in (0, 1):
        assert np.isnan(evaluated(code, [2e15, -1e300, np.inf, -np.inf, np.nan])).all()
    assert np.isnan(evaluated(2, [np.nan])).all()
