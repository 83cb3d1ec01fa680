"""The slice of a loss is the loss, on a plane through the weights."""

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from physlearn.analysis import LossSlice, descent_noise, hessian, langevin
from systems import InputError


@pytest.fixture
def trained(build):
    """A network that fits its data as far as it can in a few steps of Newton's kind."""
    model, loss_of_model = build("hnn", "tanh", hidden=(8,))
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = loss_of_model(model)
        loss.backward()
        return loss

    optimiser.step(closure)
    optimiser.zero_grad()
    return model, loss_of_model


def test_its_values_are_losses_of_the_model_with_moved_weights(trained):
    model, loss_of_model = trained
    plane = LossSlice(model, loss_of_model, reach=(0.3, 0.4))
    i, j = 3, 29
    moved = copy.deepcopy(model)
    a, b = plane.axes[0][i], plane.axes[1][j]
    weights = nn.utils.parameters_to_vector(model.parameters()).detach() + a * plane.directions[0] + b * plane.directions[1]
    nn.utils.vector_to_parameters(weights, moved.parameters())
    assert_close(plane.values[i, j], loss_of_model(moved).detach())
    assert (a, b) == (pytest.approx(-0.3 + 3 * 0.6 / 40), pytest.approx(-0.4 + 29 * 0.8 / 40))


def test_between_the_points_it_is_the_loss_to_within_the_spline(trained):
    plane = LossSlice(*trained)
    u = 2 * torch.rand(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1
    theta = u * torch.tensor(plane.reach)
    assert_close(plane.value(theta), plane.exact(theta), rtol=0, atol=1e-4 * float(plane.values.max()))
    step = 1e-4 * torch.tensor(plane.reach)
    for k in (0, 1):
        e = torch.zeros(2, dtype=torch.float64)
        e[k] = step[k]
        slope = (plane.exact(theta + e) - plane.exact(theta - e)) / (2 * step[k])
        assert_close(plane.gradient(theta)[:, k], slope, rtol=0, atol=1e-2 * float(slope.abs().max()))


def test_by_default_its_axes_are_the_two_sharpest_directions(trained):
    plane, H = LossSlice(*trained), hessian(*trained)
    assert_close(plane.hessian, torch.diag(H.eigenvalues().flip(0)[:2]), rtol=1e-8, atol=1e-8)
    assert_close(plane.directions @ plane.directions.T, torch.eye(2, dtype=torch.float64))
    quadratic = plane.loss + plane.hessian.diagonal() / 2 * torch.tensor(plane.reach, dtype=torch.float64).square()
    assert_close(quadratic, torch.full((2,), 10 * plane.loss, dtype=torch.float64))


def test_other_directions_are_made_orthonormal(trained, drawn):
    model, loss_of_model = trained
    H = hessian(model, loss_of_model)
    given = drawn(2, H.n)
    plane = LossSlice(model, loss_of_model, given, reach=0.1)
    assert_close(plane.directions @ plane.directions.T, torch.eye(2, dtype=torch.float64))
    assert_close(plane.directions[0], nn.functional.normalize(given[0], dim=0))
    assert_close(plane.hessian, plane.directions @ H.matrix() @ plane.directions.T)


def test_beyond_the_window_it_goes_on_linearly(trained):
    plane = LossSlice(*trained)
    edge = torch.tensor([[plane.reach[0], 0.0]], dtype=torch.float64)
    assert_close(plane.gradient(3 * edge), plane.gradient(edge))
    assert_close(plane.value(3 * edge), plane.value(edge) + 2 * (plane.gradient(edge) * edge).sum(-1))


def test_stochastic_descent_on_it_stays_about_the_minimum_with_the_spread_of_its_noise(trained):
    """Near the minimum V'' = H and D = (eta / B) L H, so the variance is (eta / B) L along every direction."""
    plane = LossSlice(*trained)
    eta_over_B = 0.02 / float(plane.hessian[0, 0])
    noise = descent_noise(plane.value, plane.hessian, eta_over_B, 1)
    slow = float(plane.hessian[1, 1])
    path = langevin(
        plane.gradient, torch.zeros(800, 2, dtype=torch.float64), noise, 6 / slow, 0.05 / float(plane.hessian[0, 0])
    )
    spread = path.z[:, -1].var(0)
    expected = torch.full((2,), eta_over_B * plane.loss, dtype=torch.float64)
    assert_close(spread, expected, rtol=0.3, atol=0)


def test_a_plane_that_cannot_be_is_refused(trained, drawn):
    model, loss_of_model = trained
    n = hessian(model, loss_of_model).n
    for arguments, said in (
        ({"directions": drawn(2, n + 1)}, "directions"),
        ({"directions": drawn(1, n).expand(2, n)}, "parallel"),
        ({"reach": 0.0}, "reach"),
    ):
        with pytest.raises(InputError, match=said):
            LossSlice(model, loss_of_model, **arguments)
    with pytest.raises(InputError, match="give a reach"):
        LossSlice(model, lambda model: -loss_of_model(model))
