"""Errors of learned flows in compiled loops, against torch's derivatives."""

import numpy as np
import pytest
import torch

import systems
from physlearn import models
from physlearn.models.units import Units
from physlearn.training.driven import DrivenOrbit
from physlearn.training.flow_errors import FlowErrors, in_closed_form
from physlearn.training.polish_losses import weights_of
from physlearn.training.state_losses import ShootingLoss, StepLoss
from physlearn.training.windows import Windows

HH = systems.get("henon-heiles")
T = torch.linspace(0, 6, 13, dtype=torch.float64)
SEEN = HH.orbit(HH.sample(4, seed=0, energy=0.1), T)


def built(name, activation="sine", given=0, hidden=7):
    """A model in its own units, and these."""
    z, rate = SEEN.z.flatten(0, 1), SEEN.rate.flatten(0, 1)
    if given:
        z = torch.cat([z, torch.linspace(-1, 2, len(z)).double().unsqueeze(1)], dim=1)
    model = models.build(name, 4, (hidden,), activation, 0, {}, given).double()
    units = Units.of(z, rate, model.structure)
    model.standardize(*units.standardize(z, rate) if not given else units.applied(z, rate))
    return model, units


def residuals(loss, start):
    """The weighted errors of all windows after their first states, by torch."""
    rows, z, found = torch.arange(len(loss)), start, []
    for k in range(1, loss.t.shape[1]):
        z = loss.stepped(z, rows, k - 1)
        found.append((z - loss.z[:, k]) * loss.weights.sqrt())
    return torch.stack(found)


def gradient_by_torch(value, model):
    return torch.cat([g.flatten() for g in torch.autograd.grad(value, list(model.parameters()))]).numpy()


@pytest.mark.parametrize("name", ["nn", "hnn", "hnn-separable", "hnn-mechanical"])
@pytest.mark.parametrize(("activation", "length"), [("sine", 1), ("tanh+gelu", 3), ("learned:henon-heiles-hnn", 2)])
def test_the_gradient_of_the_step_loss_is_that_of_torch(name, activation, length):
    model, units = built(name, activation)
    loss = StepLoss(model, units, Windows.of(SEEN, length))
    errors = FlowErrors(loss)
    weights = errors.arranged(weights_of(model))
    value = loss.parts(torch.arange(len(loss))).sum()
    assert errors.loss(weights) == pytest.approx(float(value.detach()), rel=1e-12)
    exact = gradient_by_torch(value, model)
    np.testing.assert_allclose(2 * errors.given_back(errors.gradient(weights)), exact, atol=1e-12 * np.abs(exact).max())


def test_given_values_enter_the_flow_as_they_do_by_torch():
    model, units = built("hnn-separable", given=1)
    given = torch.sin(T).unsqueeze(-1)
    runs = [DrivenOrbit(T, z, given_t=T, given=given) for z in SEEN.z]
    loss = StepLoss(model, units, Windows.of(runs, 2))
    errors = FlowErrors(loss)
    exact = gradient_by_torch(loss.parts(torch.arange(len(loss))).sum(), model)
    found = 2 * errors.given_back(errors.gradient(errors.arranged(weights_of(model))))
    np.testing.assert_allclose(found, exact, atol=1e-12 * np.abs(exact).max())


def test_the_normal_equations_are_those_of_the_jacobian_by_torch():
    model, units = built("hnn", hidden=3)
    loss = StepLoss(model, units, Windows.of(SEEN, 2))
    errors = FlowErrors(loss)
    rows = residuals(loss, loss.z[:, 0]).flatten()
    jacobian = np.stack([gradient_by_torch_kept(row, model) for row in rows]) / np.sqrt(2 * len(loss))
    order = errors.arranged(np.arange(jacobian.shape[1]))
    exact = (jacobian.T @ jacobian)[np.ix_(order, order)]
    weights = errors.arranged(weights_of(model))
    np.testing.assert_allclose(errors.matrix(weights), exact, atol=1e-12 * np.abs(exact).max())


def gradient_by_torch_kept(value, model):
    return torch.cat([g.flatten() for g in torch.autograd.grad(value, list(model.parameters()), retain_graph=True)]).numpy()


def noisy_shooting(name="hnn"):
    model, units = built(name)
    seen = systems.Orbit(T, SEEN.z + 0.01 * torch.randn(SEEN.z.shape, generator=torch.Generator().manual_seed(0)).double())
    windows = Windows.of(seen, 4)
    loss = ShootingLoss(model, units, windows, windows.z[:, 0])
    loss.follows = torch.zeros_like(loss.follows)  # the errors are those of separate windows
    return model, loss


def test_first_states_are_eliminated_at_the_minimum_of_the_loss_over_them():
    model, loss = noisy_shooting()
    errors = FlowErrors(loss)
    weights = errors.arranged(weights_of(model))
    for _ in range(30):
        least = errors.loss(weights)
        errors.adopt()
    with torch.no_grad():
        loss.start.copy_(torch.from_numpy(errors.start))
    value = loss.parts(torch.arange(len(loss))).sum()
    by_start = torch.autograd.grad(value, loss.start, retain_graph=True)[0]
    assert float(by_start.abs().max()) < 1e-8
    assert least == pytest.approx(float(value.detach()), rel=1e-9)
    exact = gradient_by_torch(value, model)  # at the minimum over the first states, these do not add to the gradient
    np.testing.assert_allclose(2 * errors.given_back(errors.gradient(weights)), exact, atol=1e-7 * np.abs(exact).max())


def test_a_wild_window_hardly_changes_the_typical_loss():
    model, units = built("nn")
    z = SEEN.z.clone()
    plain = FlowErrors(StepLoss(model, units, Windows.of(SEEN, 1)))
    z[0, 5, 0] += 1e6
    loss = StepLoss(model, units, Windows.of(systems.Orbit(T, z), 1))
    loss.weights = StepLoss(model, units, Windows.of(SEEN, 1)).weights
    wild = FlowErrors(loss)
    weights = wild.arranged(weights_of(model))
    assert wild.loss(weights) > 1e6 * plain.loss(weights)
    assert wild.typical(weights) < 5 * plain.typical(weights)


def test_models_without_a_closed_form_are_left_to_torch():
    assert in_closed_form(built("hnn")[0])
    assert not in_closed_form(models.build("hnn", 4, (5, 5), "sine", 0, {}, 0))
    assert not in_closed_form(models.build("nn", 4, (5,), "sine", 0, {0: 6.28}, 0))
    assert not in_closed_form(models.build("nn", 4, (500,), "sine", 0, {}, 0))
