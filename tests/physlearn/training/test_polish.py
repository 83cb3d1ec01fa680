"""The polish of networks on rates: closed forms against automatic differentiation by torch, and known minima."""

import math

import numpy as np
import pytest
import torch
from torch.func import functional_call, jacrev

import systems
from physlearn import models
from physlearn.activations import Mixture, Table, get
from physlearn.activations.compiled import CODES
from physlearn.training import Pairs, Training
from physlearn.training.levenberg_marquardt import descend
from physlearn.training.loss import Counting
from physlearn.training.polish import default_steps, polish
from physlearn.training.polish_losses import ShallowLoss, TorchLoss, by_normal_equations, loss_of, put, weights_of
from physlearn.training.quasi_newton import descend as quasi_newton
from physlearn.training.train import train

NETWORKS = ["nn", "hnn", "hnn-separable", "hnn-mechanical"]
X = torch.linspace(-10, 10, 100)
TABLE = Table(X.sin() + X.tanh() / 5)
ACTIVATIONS = {
    **{name: name for name in CODES if name != "table"},
    "table": TABLE,
    "mixture": Mixture([get("tanh"), TABLE, Table(X.cos()), get("square")]),
}


def random_pairs(n=60, dim=4, seed=0):
    z, rate = torch.randn(2, n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Pairs(z, rate * torch.arange(1, dim + 1), tuple("abcdef"[:dim]))


def built(name, activation="sine", pairs=None, hidden=(9,), seed=0):
    pairs = random_pairs() if pairs is None else pairs
    model = models.build(name, pairs.dim, hidden, activation, seed).double()
    model.standardize(pairs.z, pairs.rate)
    return model


def by_torch(model, pairs, counting):
    """The weighted errors as a function of the weights, by the model itself."""
    names, shapes = zip(*((name, own.shape) for name, own in model.named_parameters()), strict=True)

    def errors(weights):
        parts = weights.split([shape.numel() for shape in shapes])
        given = {name: part.view(shape) for name, part, shape in zip(names, parts, shapes, strict=True)}
        missed = functional_call(model, given, (pairs.z,)) - pairs.rate
        shares = torch.full((pairs.dim,), 1 / pairs.dim, dtype=torch.float64) if counting.weights is None else counting.weights
        return (missed * (shares / len(pairs)).sqrt()).flatten()

    return errors


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", NETWORKS)
def test_loss_gradient_and_normal_equations_are_those_of_automatic_differentiation(name, activation):
    pairs = random_pairs()
    model = built(name, ACTIVATIONS[activation], pairs)
    weighted = activation not in ("tanh", "mixture")
    counting = Counting.of(pairs, "mean", weighted=weighted)
    loss, weights = ShallowLoss(model, pairs, counting), weights_of(model)
    errors, at = by_torch(model, pairs, counting), torch.from_numpy(weights)
    r, J = errors(at).detach().numpy(), jacrev(errors)(at).detach().numpy()
    np.testing.assert_allclose(loss.parts(weights).sum(), r @ r, rtol=1e-10)
    if weighted:
        np.testing.assert_allclose(loss.parts(weights), np.square(r).reshape(-1, pairs.dim).sum(0), rtol=1e-10)
    scale = np.abs(J.T @ J).max()
    np.testing.assert_allclose(loss.gradient(weights), J.T @ r, rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(loss.matrix(weights), J.T @ J, rtol=1e-9, atol=1e-12 * scale)


@pytest.mark.parametrize("name", NETWORKS)
def test_given_values_are_inputs_by_which_nothing_is_derived(name):
    pairs = random_pairs()
    value = torch.rand(len(pairs), 1, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    pairs = Pairs(torch.cat([pairs.z, value], dim=1), pairs.rate, pairs.coordinates)
    model = models.build(name, 4, (7,), "tanh", 0, given=1).double()
    model.standardize(pairs.z, pairs.rate)
    counting = Counting.of(pairs, "mean", weighted=True)
    loss, weights = ShallowLoss(model, pairs, counting), weights_of(model)
    errors, at = by_torch(model, pairs, counting), torch.from_numpy(weights)
    r, J = errors(at).detach().numpy(), jacrev(errors)(at).detach().numpy()
    scale = np.abs(J.T @ J).max()
    np.testing.assert_allclose(loss.parts(weights), np.square(r).reshape(-1, 4).sum(0), rtol=1e-10)
    np.testing.assert_allclose(loss.gradient(weights), J.T @ r, rtol=1e-9, atol=1e-12 * scale)
    np.testing.assert_allclose(loss.matrix(weights), J.T @ J, rtol=1e-9, atol=1e-12 * scale)


@pytest.mark.parametrize("name", NETWORKS)
def test_both_losses_agree_on_any_weights(name):
    pairs = random_pairs()
    model = built(name, pairs=pairs)
    counting = Counting.of(pairs, "sum", weighted=True)
    weights = weights_of(model) + 0.1
    np.testing.assert_allclose(
        ShallowLoss(model, pairs, counting).parts(weights), TorchLoss(model, pairs, counting).parts(weights), rtol=1e-10
    )


def test_matrices_of_some_samples_have_the_matrix_of_all_as_their_mean():
    pairs = random_pairs(9000, dim=2)
    loss = ShallowLoss(built("nn", pairs=pairs), pairs, Counting.of(pairs, "mean", weighted=True))
    (errors,) = loss.errors
    weights = weights_of(built("nn", pairs=pairs))
    some = [loss.matrix(weights, step) for step in range(3)]
    assert not np.allclose(some[0], some[1], rtol=1e-3)
    np.testing.assert_allclose(sum(some) / 3, errors.matrix(weights), rtol=1e-9, atol=1e-14)


class Residuals:
    """Errors as a function, with a Jacobian."""

    def __init__(self, errors, jacobian):
        self.errors, self.jacobian = errors, jacobian

    def loss(self, x):
        return float(np.square(self.errors(x)).sum())

    def gradient(self, x):
        return self.jacobian(x).T @ self.errors(x)

    def matrix(self, x, step):
        return self.jacobian(x).T @ self.jacobian(x)


def test_linear_errors_are_minimised_exactly():
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(30, 5)), rng.normal(size=30)
    *_, found = descend(Residuals(lambda x: A @ x - b, lambda x: A), np.zeros(5), 20)
    np.testing.assert_allclose(found, np.linalg.lstsq(A, b, rcond=None)[0], rtol=1e-7)


def test_the_valley_of_rosenbrock_is_followed_to_its_minimum_and_the_loss_falls_in_each_step():
    problem = Residuals(
        lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), lambda x: np.array([[-20 * x[0], 10], [-1, 0]])
    )
    path = [np.array([-1.2, 1.0]), *descend(problem, np.array([-1.2, 1.0]), 100)]
    assert (np.diff([problem.loss(x) for x in path]) < 0).all()
    np.testing.assert_allclose(path[-1], 1, rtol=1e-6)


def test_a_descent_ends_where_no_step_decreases_the_loss():
    flat = Residuals(lambda x: np.ones(2), lambda x: np.zeros((2, 3)))
    assert list(descend(flat, np.zeros(3), 10)) == []
    undefined = Residuals(lambda x: np.full(2, np.nan), lambda x: np.full((2, 3), np.nan))
    assert list(descend(undefined, np.zeros(3), 10)) == []


def test_networks_without_curvature_end_at_the_least_squares_of_an_affine_field():
    pairs = random_pairs(400, dim=3)
    model = built("nn", "identity", pairs, hidden=(5,))
    history = polish(model, pairs, pairs, Training(weighted=True), steps=60, seed=0, progress=False)
    design = torch.cat([pairs.z, torch.ones(400, 1)], dim=1).numpy()
    left = np.linalg.lstsq(design, pairs.rate.numpy(), rcond=None)[1] / 400
    best = (left / pairs.rate.numpy().var(0)).mean()
    assert history["training"].iloc[-1] == pytest.approx(best, rel=1e-9)


def test_a_field_that_a_network_can_represent_is_found_to_rounding():
    spring = systems.get("harmonic-oscillator")
    z = spring.sample(100, seed=0)
    pairs = Pairs(z, spring.vector_field(0.0, z), ("q", "p"))
    model = built("hnn-mechanical", "square", pairs, hidden=(6,))
    history = polish(model, pairs, None, Training(weighted=True), steps=40, seed=0, progress=False)
    assert history["training"].iloc[-1] < 1e-20


@pytest.mark.parametrize(("name", "hidden"), [("hnn", (12,)), ("nn", (6, 6))])
def test_the_loss_never_rises_and_the_history_ends_with_the_weights_that_are_kept(pendulum_pairs, name, hidden):
    pairs, validation = pendulum_pairs
    exact = [part.to("cpu", torch.float64) for part in pendulum_pairs]
    how = Training(epochs=5, weighted=True)
    counting = Counting.of(exact[0], "mean", weighted=True)
    for held in (None, exact[1]):
        model = models.build(name, 2, hidden, "sine", 0)
        train(model, pairs, validation, how, progress=False)
        before = weights_of(model.double())
        model.float()
        history = polish(model, exact[0], held, how, steps=40, seed=0, progress=False)
        assert next(model.parameters()).dtype == torch.float32
        assert history["learning_rate"].isna().all()
        assert by_normal_equations(model) == (len(hidden) == 1)
        after = weights_of(model).astype(float)
        model.double()
        losses = [loss_of(model, part, counting) for part in exact]
        assert losses[0].parts(after).sum() < 0.5 * losses[0].parts(before).sum()
        if held is None:
            assert losses[0].parts(after).sum() == pytest.approx(history["training"].iloc[-1])
        else:
            assert losses[1].parts(after).sum() == pytest.approx(history["validation"].min())
            assert losses[1].parts(after).sum() < losses[1].parts(before).sum()


def test_the_polish_of_the_same_model_is_the_same_again(pendulum_pairs):
    exact = pendulum_pairs[0].to("cpu", torch.float64)
    found = []
    for _ in range(2):
        model = built("hnn", pairs=exact)
        polish(model, exact, None, Training(weighted=True), steps=5, seed=3, progress=False)
        found.append(weights_of(model))
    np.testing.assert_array_equal(*found)


def test_models_with_angles_many_weights_or_several_layers_are_polished_by_torch():
    assert by_normal_equations(models.build("hnn", 4, (100,), "sine", 0))
    assert not by_normal_equations(models.build("hnn", 4, (300,), "sine", 0))
    assert not by_normal_equations(models.build("hnn", 4, (20, 20), "sine", 0))
    assert not by_normal_equations(models.build("hnn", 2, (20,), "sine", 0, {0: 2 * math.pi}))
    assert by_normal_equations(models.build("nn", 2, (20,), "sine", 0, {0: 2 * math.pi}))
    assert default_steps(models.build("hnn", 4, (100,), "sine", 0), 200) == 20


def test_few_pairs_without_validation_data_are_not_polished():
    pairs = random_pairs(19)
    model = built("hnn", pairs=pairs)
    before = weights_of(model)
    assert len(polish(model, pairs, None, Training(), steps=5, seed=0, progress=False)) == 0
    np.testing.assert_array_equal(weights_of(model), before)


def test_lbfgs_sums_the_terms_of_a_loss():
    x = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    wanted = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    *_, last = quasi_newton(lambda: ((i + 1) * (x[i] - wanted[i]).square() for i in range(3)), [x], 40)
    assert last < 1e-20
    torch.testing.assert_close(x.detach(), wanted)


def test_weights_are_written_in_the_order_in_which_they_are_read():
    model = built("hnn-separable")
    weights = np.arange(len(weights_of(model)), dtype=float)
    put(model, weights)
    np.testing.assert_array_equal(weights_of(model), weights)
