from math import sqrt

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from physlearn import activations
from physlearn.activations import SubNetwork, Table
from systems import InputError

X = torch.linspace(-5, 5, 41, dtype=torch.float64)


def drawn(*seeds, base="sine", **settings):
    return SubNetwork.draw(activations.get(base), seeds, dtype=torch.float64, **settings)


def test_it_is_the_base_and_the_sum_over_its_neurons():
    f = drawn(3, width=6)
    w, b, v, c = (part[0].detach().numpy() for part in (f.w, f.b, f.v, f.c))
    expected = [np.sin(a) + sum(v[k] * np.tanh(w[k] * a + b[k]) for k in range(6)) + c[0] for a in X.numpy()]
    np.testing.assert_allclose(f(X[None])[0].detach().numpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("base", ["sine", "zero", "tanh", "identity"])
def test_derivatives_agree_with_finite_differences(base):
    f, h = drawn(0, 1, base=base, width=5), 1e-5
    x = torch.stack([X, X + 0.3])
    assert_close(f.first(x), (f(x + h) - f(x - h)) / (2 * h), atol=1e-8, rtol=0)
    assert_close(f.second(x), (f.first(x + h) - f.first(x - h)) / (2 * h), atol=1e-8, rtol=0)


@pytest.mark.parametrize("how", ["value", "first", "second"])
def test_gradients_by_argument_and_weights_agree_with_finite_differences(how):
    f, step = drawn(0, 1, width=3), 1e-6
    x = torch.randn(2, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    leaves = [x, *f.parameters()]
    found = torch.autograd.grad(getattr(f, how)(x).sum(), leaves, materialize_grads=True)
    with torch.no_grad():
        for leaf, gradient in zip(leaves, found, strict=True):
            for i in range(leaf.numel()):
                sums = []
                for sign in (1, -1):
                    leaf.view(-1)[i] += sign * step
                    sums.append(getattr(f, how)(x).sum().item())
                    leaf.view(-1)[i] -= sign * step
                assert gradient.flatten()[i].item() == pytest.approx((sums[0] - sums[1]) / (2 * step), abs=1e-6)


def test_a_member_of_a_stack_is_drawn_as_it_is_alone():
    together = drawn(5, 9, 2, width=7)
    x = X.expand(3, -1)
    alone = torch.cat([drawn(seed, width=7)(X[None]) for seed in (5, 9, 2)])
    assert_close(together(x), alone)


def test_a_stack_takes_any_axes_after_its_own():
    f = drawn(0, 1)
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    rows = torch.stack([f(x[:, i, j]) for i in range(3) for j in range(4)], dim=1)
    assert_close(f(x).flatten(1, 2), rows)


def test_weights_are_drawn_like_those_of_layers():
    """Uniform within 1 / sqrt(inputs): 1 input in the first layer, 50 in the second."""
    f = drawn(*range(200), width=50)
    first, last = torch.cat([f.w, f.b], -1), torch.cat([f.v, f.c], -1) * sqrt(50)
    for part in (first, last):
        assert part.abs().max() <= 1
        assert part.std().item() == pytest.approx(1 / sqrt(3), rel=0.02)
        assert abs(part.mean().item()) < 0.02


def test_gain_multiplies_the_distance_from_the_base():
    one, five = drawn(4)(X[None]) - X.sin(), drawn(4, gain=5.0)(X[None]) - X.sin()
    assert_close(five, 5 * one)


def test_seeds_decide_and_dtypes_round():
    assert_close(drawn(4)(X[None]), drawn(4)(X[None]), rtol=0, atol=0)
    assert (drawn(4)(X[None]) - drawn(5)(X[None])).abs().max() > 0.1
    single = SubNetwork.draw(activations.get("sine"), [4], dtype=torch.float32)
    assert_close(single(X[None].float()).double(), drawn(4)(X[None]), atol=1e-5, rtol=0)


def test_captured_in_a_table_it_is_the_same():
    f = drawn(0)
    table = Table.capture(lambda x: f(x[None])[0].detach(), points=400, dtype=torch.float64)
    assert_close(table(X), f(X[None])[0].detach(), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("seeds", "width"), [([], 5), ([1, 1], 5), ([0, 1], 0)])
def test_what_cannot_be_drawn_is_refused(seeds, width):
    with pytest.raises(InputError, match="sub-network"):
        SubNetwork.draw(activations.get("sine"), seeds, width)
