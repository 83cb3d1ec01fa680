import pytest
import torch
from torch.testing import assert_close

from physlearn import activations
from systems import InputError

X = torch.tensor([-3.1, -1.7, -0.6, -0.01, 0.02, 0.4, 0.97, 1.3, 2.2, 4.0], dtype=torch.float64)  # off every kink
STEP = 1e-5


@pytest.mark.parametrize("name", activations.names())
def test_derivatives_agree_with_finite_differences(name):
    f = activations.get(name)
    assert_close(f.first(X), (f(X + STEP) - f(X - STEP)) / (2 * STEP), atol=1e-8, rtol=0)
    assert_close(f.second(X), (f.first(X + STEP) - f.first(X - STEP)) / (2 * STEP), atol=1e-8, rtol=0)


@pytest.mark.parametrize("name", activations.names())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_and_shape_are_kept(name, dtype):
    f = activations.get(name)
    x = X.to(dtype).reshape(2, 5)
    for function in (f, f.first, f.second):
        assert function(x).dtype == dtype
        assert function(x).shape == x.shape


@pytest.mark.parametrize("name", activations.names())
def test_the_first_derivative_is_itself_differentiable(name):
    f = activations.get(name)
    x = X.clone().requires_grad_()
    slope = f.first(x)
    if slope.requires_grad:  # constant slopes are cut off, with the right gradient: none
        (gradient,) = torch.autograd.grad(slope.sum(), x)
        assert_close(gradient, f.second(X), atol=1e-12, rtol=0)
    else:
        assert not f.second(X).any()


def test_a_registered_function_gets_its_derivatives_by_autodiff():
    f = activations.register("test-cubic", lambda x: x**3)
    assert activations.get("test-cubic") is f
    assert_close(f.first(X), 3 * X**2)
    assert_close(f.second(X), 6 * X)


def test_a_registered_name_is_its_functions_alone_which_may_come_again():
    for _ in range(2):  # as when a cell is run again
        activations.register("test-bump", lambda x: x**4)
    with pytest.raises(InputError, match="taken"):
        activations.register("test-bump", torch.sin)


def test_an_unknown_name_is_a_key_error_that_lists_the_names():
    with pytest.raises(KeyError, match="tanh"):
        activations.get("than")
