"""Sine and cosine in one pass give what torch gives, to any order of derivative."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from physlearn.activations.sine import cosine, sine


@pytest.mark.parametrize(("function", "order"), [(sine, 0), (cosine, 1)])
@given(seed=st.integers(0, 2**31), scale=st.floats(0.01, 300))
def test_values_and_two_derivatives_are_those_of_torch(function, order, seed, scale):
    x = scale * torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(seed))
    exact = [x.double().sin(), x.double().cos(), -x.double().sin(), -x.double().cos()]
    x.requires_grad_()
    value = function(x)
    (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    for found, wanted in zip((value, first, second), exact[order:], strict=False):
        torch.testing.assert_close(found.double(), wanted, rtol=0, atol=3e-7)


def test_without_gradients_it_is_torch_itself():
    x = torch.randn(2, 3, 5)
    assert torch.equal(sine(x), x.sin())


def test_a_diverged_activity_stays_one():
    x = torch.tensor([[[torch.nan, torch.inf, 1.0]]]).requires_grad_()
    assert sine(x).isnan().tolist() == [[[True, True, False]]]
