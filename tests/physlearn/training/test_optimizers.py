"""The functional optimisers against those of torch, which share no code with them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from physlearn.training.optimizers import OPTIMIZERS, clipped, find, for_torch
from systems import UnknownNameError

NETWORKS, SIZE, STEPS = 3, 5, 30


def loss_of(w):
    """Of each row, with curvature and a weight (the last) that it does not depend on."""
    return ((w[..., :-1] - 0.3) ** 4).sum(-1) + w[..., :-1].sin().prod(-1)


def start(seed=0):
    return torch.randn(NETWORKS, SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_thirty_steps_of_a_stack_are_those_of_torch_for_each_row(name):
    rates = torch.tensor([[1e-3], [1e-2], [5e-2]], dtype=torch.float64)
    optimizer, weights = find(name), start()
    state = optimizer.start(weights)
    for count in range(1, STEPS + 1):
        (gradient,) = torch.autograd.grad(loss_of(leaf := weights.clone().requires_grad_()).sum(), leaf)
        falling = rates * (1 - count / 50)
        weights, state = optimizer.step(weights, gradient, state, falling, count)
    for k, row in enumerate(start()):
        parameter = torch.nn.Parameter(row.clone())
        alone = for_torch(name, [parameter], float(rates[k]))
        for count in range(1, STEPS + 1):
            alone.param_groups[0]["lr"] = float(rates[k]) * (1 - count / 50)
            alone.zero_grad()
            loss_of(parameter).backward()
            alone.step()
        assert_close(weights[k], parameter.detach(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_row_may_be_at_a_step_of_its_own(name):
    optimizer, gradient = find(name), start(1)
    state = tuple(0.1 + torch.rand_like(gradient) for _ in optimizer.start(gradient))
    counts = torch.tensor([[1], [7], [40]])
    together, _ = optimizer.step(start(), gradient, state, 1e-2, counts)
    for k, count in enumerate(counts.flatten().tolist()):
        own = tuple(part[k : k + 1] for part in state)
        alone, _ = optimizer.step(start()[k : k + 1], gradient[k : k + 1], own, 1e-2, count)
        assert_close(together[k : k + 1], alone)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_gradients_pass_through_three_steps_also_where_a_weight_has_no_gradient(name):
    optimizer = find(name)

    def trained(weights, target, rate):
        state = optimizer.start(weights)
        for count in (1, 2, 3):
            loss = ((weights[..., :-1] - target) ** 2 * weights[..., 1:2]).sum()
            (gradient,) = torch.autograd.grad(loss, weights, create_graph=True)
            weights, state = optimizer.step(weights, gradient, state, rate, count)
        return weights

    weights = start()[:2, :4].clone().requires_grad_()
    target = torch.full((1, 1), 0.7, dtype=torch.float64, requires_grad=True)
    rate = torch.tensor([[1e-2], [3e-2]], dtype=torch.float64, requires_grad=True)
    for gradient in torch.autograd.grad(trained(weights, target, rate).sum(), (weights, target, rate)):
        assert torch.isfinite(gradient).all()
    assert torch.autograd.gradcheck(trained, (weights, target, rate), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_whose_gradient_is_exactly_zero_stay_where_they_are(name):
    optimizer, weights = find(name), start()
    state = optimizer.start(weights)
    for count in (1, 2, 3):
        weights, state = optimizer.step(weights, torch.zeros_like(weights), state, 1e-1, count)
    assert torch.equal(weights, start())


@pytest.mark.parametrize("scale", [1e-8, 0.1, 1.0, 1e6])
@pytest.mark.parametrize("limit", [1e-3, 1.0, 50.0])
def test_clipping_is_that_of_torch_for_each_row(scale, limit):
    gradient = scale * start(2) * torch.tensor([[1e-2], [1], [1e2]], dtype=torch.float64)
    wanted = []
    for row in gradient:
        parameter = torch.nn.Parameter(torch.zeros(SIZE, dtype=torch.float64))
        parameter.grad = row.clone()
        torch.nn.utils.clip_grad_norm_([parameter], limit)
        wanted.append(parameter.grad)
    assert_close(clipped(gradient, limit), torch.stack(wanted), rtol=1e-13, atol=0)


@given(st.lists(st.floats(-1e10, 1e10), min_size=1, max_size=6), st.floats(1e-6, 1e6))
def test_a_clipped_gradient_is_never_longer_than_the_limit_and_never_turned(row, limit):
    gradient = torch.tensor([row], dtype=torch.float64)
    short = clipped(gradient, limit)
    assert short.norm() <= limit * (1 + 1e-12)
    assert (short * gradient >= 0).all()
    assert short.norm() <= gradient.norm() * (1 + 1e-12)


def test_a_gradient_of_zeros_can_be_clipped_and_differentiated():
    gradient = torch.zeros(2, 4, dtype=torch.float64, requires_grad=True)
    (through,) = torch.autograd.grad(clipped(gradient, 1.0).sum(), gradient)
    assert torch.isfinite(through).all()


def test_an_unknown_optimizer_is_answered_with_the_names():
    with pytest.raises(UnknownNameError, match="sgd, momentum, rmsprop, adam"):
        find("lion")
