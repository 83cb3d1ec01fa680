"""The Hessian, against matrices that are known, and its estimates against the matrix."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from physlearn.analysis import SpectralDensity, hessian, near_zero
from physlearn.analysis.lanczos import lanczos
from systems import InputError

NETWORKS = ["nn", "hnn", "hnn-separable", "hnn-mechanical", "dissipative-hnn"]


@pytest.fixture(scope="module")
def small():
    """Of a quadratic form with eigenvalues of both signs, most of them small."""
    generator = torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(60, 60, generator=generator, dtype=torch.float64))[0]
    sizes = torch.logspace(-5, 0, 60, dtype=torch.float64)
    sizes[::3] *= -0.2
    A = rotation @ torch.diag(sizes) @ rotation.T
    weights = nn.ParameterList([nn.Parameter(torch.randn(60, generator=generator, dtype=torch.float64))])
    return hessian(weights, lambda weights: weights[0] @ A @ weights[0] / 2)


def test_of_linear_least_squares_it_is_the_covariance_of_the_inputs(drawn):
    """The mean square of W x - y has 2 / (outputs n) X^T X for each output's row of W, and nothing between rows."""
    x, y = drawn(20, 3), drawn(20, 2, seed=1)
    model = nn.Linear(3, 2, bias=False).double()
    H = hessian(model, lambda model: (model(x) - y).square().mean())
    exact = torch.block_diag(*[x.T @ x / 20] * 2)
    assert_close(H.matrix(), exact)
    assert_close(H.eigenvalues(), torch.linalg.eigvalsh(exact))
    assert_close(torch.tensor(H.loss), (model(x) - y).square().mean().detach().float())


def test_of_a_network_it_is_what_torch_finds_by_differentiating_the_whole_gradient(build, drawn):
    model, _ = build("nn", "sine", hidden=(3, 2))
    x, y = drawn(20, 4), drawn(20, 4, seed=1)
    names, weights = zip(*model.named_parameters(), strict=True)

    def loss(*weights):
        return (torch.func.functional_call(model, dict(zip(names, weights, strict=True)), (x,)) - y).square().mean()

    blocks = torch.autograd.functional.hessian(loss, tuple(w.detach() for w in weights))
    rows = [torch.cat([b.reshape(w.numel(), -1) for b in row], dim=1) for w, row in zip(weights, blocks, strict=True)]
    assert_close(hessian(model, lambda model: (model(x) - y).square().mean()).matrix(), torch.cat(rows))


def gradient_at(model, loss_of_model, weights):
    moved = copy.deepcopy(model)
    nn.utils.vector_to_parameters(weights, moved.parameters())
    found = torch.autograd.grad(loss_of_model(moved), list(moved.parameters()), allow_unused=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in found])


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("activation", ["sine", "tanh", "mixture"])
def test_products_are_differences_of_the_gradient(build, drawn, name, activation):
    """The loss of a Hamiltonian network has derivatives inside, and tables have derivatives of their own making."""
    model, loss_of_model = build(name, activation)
    H = hessian(model, loss_of_model)
    v, step = drawn(H.n, seed=5), 1e-6
    ahead, behind = (gradient_at(model, loss_of_model, H.weights + sign * step * v) for sign in (1, -1))
    found = H.matvec(v)
    assert_close(found, (ahead - behind) / (2 * step), rtol=0, atol=2e-5 * float(found.abs().max()))


@pytest.mark.parametrize("name", NETWORKS)
def test_its_rows_are_its_columns(build, drawn, name):
    H = hessian(*build(name, "mixture", hidden=(3, 2)))
    v, w = drawn(2, H.n)
    assert_close(v @ H.matvec(w), w @ H.matvec(v), rtol=1e-10, atol=1e-12)
    assert_close(H.matrix() @ v, H.matvec(v), rtol=1e-9, atol=1e-12)


def test_a_loss_that_differentiates_by_autograd_itself_will_do(build, drawn):
    model, _ = build("hnn", "tanh")
    z, rate = drawn(20, 4, seed=6), drawn(20, 4, seed=7)

    def by_autograd(model):
        x = z.clone().requires_grad_()
        dq, dp = torch.autograd.grad(model.hamiltonian(x).sum(), x, create_graph=True)[0].chunk(2, dim=-1)
        return (torch.cat([dp, -dq], dim=-1) - rate).square().mean()

    in_closed_form = hessian(model, lambda model: (model(z) - rate).square().mean())
    assert_close(hessian(model, by_autograd).matrix(), in_closed_form.matrix(), rtol=1e-9, atol=1e-12)


def test_the_model_is_not_changed_and_may_be_trained_on(build, drawn):
    model, loss_of_model = build()
    before = copy.deepcopy(model.state_dict())
    H = hessian(model, loss_of_model)
    v = drawn(H.n)
    first = H.matvec(v)
    assert_close(model.state_dict(), before, rtol=0, atol=0)
    assert all(p.grad is None for p in model.parameters())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    assert_close(H.matvec(v), first, rtol=0, atol=0)
    assert (hessian(model, loss_of_model).matvec(v) - first).abs().max() > 1e-3


def test_weights_that_need_no_gradient_are_constants(build):
    model, loss_of_model = build()
    whole = hessian(model, loss_of_model).matrix()
    first = model.network.layers[0].requires_grad_(False)
    held = sum(p.numel() for p in first.parameters())
    assert_close(hessian(model, loss_of_model).matrix(), whole[held:, held:])


def test_it_works_without_gradients_around_and_keeps_the_dtype(build, drawn):
    model, _ = build()
    model, z = model.float(), drawn(9, 4).float()
    with torch.no_grad():
        H = hessian(model, lambda model: model(z).square().mean())
    assert {x.dtype for x in (H.matrix(), H.eigenvalues(), H.leading()[1])} == {torch.float32}


def test_a_linear_loss_does_not_curve(drawn):
    x = drawn(5, 3)
    H = hessian(nn.Linear(3, 1).double(), lambda model: model(x).sum())
    assert not H.matrix().any()


def test_the_leading_eigenvectors_are_those_of_the_matrix(build):
    H = hessian(*build("nn", "tanh", hidden=(40,)))
    assert H.n > 200  # so that they come from an iteration
    values, vectors = H.leading(3)
    exact = H.eigenvalues().flip(0)[:3]
    assert_close(values, exact, rtol=1e-9, atol=0)
    assert_close(vectors @ H.matrix() @ vectors.T, torch.diag(exact), rtol=1e-8, atol=1e-8)


def test_of_a_small_hessian_all_eigenvectors_can_be_had(small):
    values, vectors = small.leading(small.n)
    assert_close(values.flip(0), small.eigenvalues(), rtol=1e-9, atol=1e-12)
    assert_close(vectors.T @ torch.diag(values) @ vectors, small.matrix(), rtol=1e-9, atol=1e-12)


def test_hutchinsons_error_is_that_of_the_theory(small):
    """The variance of v^T H v over random signs is twice the sum of squares off the diagonal."""
    M = small.matrix()
    theory = math.sqrt(2 * float((M - M.diagonal().diag()).square().sum()) / 400)
    assert small.trace(400).error == pytest.approx(theory, rel=0.15)


def test_hutchinsons_means_lie_about_the_trace_as_their_errors_say(small):
    exact = float(small.matrix().trace())
    off = torch.tensor([(found.value - exact) / found.error for found in (small.trace(40, seed=seed) for seed in range(60))])
    assert abs(float(off.mean())) < 4 / math.sqrt(60)
    assert 0.7 < float(off.std()) < 1.4


def test_the_trace_of_a_diagonal_is_exact_from_two_samples():
    model = nn.ParameterList([nn.Parameter(torch.arange(1.0, 6.0, dtype=torch.float64))])
    value, error = hessian(model, lambda model: model[0].pow(3).sum()).trace(2)
    assert (value, error) == (pytest.approx(6 * 15), 0)


def symmetric(drawn, n=30):
    return (m := drawn(n, n)) + m.T


def test_a_quadrature_of_m_steps_has_the_first_2m_moments(drawn):
    A, v = symmetric(drawn) / 10, nn.functional.normalize(drawn(30, seed=1), dim=0)
    nodes, weights = lanczos(lambda x: A @ x, v, 5)
    assert len(nodes) == 5
    for k in range(10):
        assert_close((weights * nodes**k).sum(), v @ torch.linalg.matrix_power(A, k) @ v)
    assert abs((weights * nodes**10).sum() - v @ torch.linalg.matrix_power(A, 10) @ v) > 1e-6


def test_with_all_steps_the_nodes_are_the_eigenvalues_without_copies(drawn):
    """Eigenvalues far out converge early and come again where new vectors are not kept orthogonal to old ones."""
    A = symmetric(drawn, 60) + torch.diag(torch.tensor([1e4, 3e3, -1e3] + [0.0] * 57, dtype=torch.float64))
    nodes, weights = lanczos(lambda x: A @ x, nn.functional.normalize(drawn(60, seed=1), dim=0), 60)
    values = torch.linalg.eigvalsh(A)
    assert_close(nodes, values, rtol=1e-9, atol=1e-8)
    assert_close(weights.sum(), torch.tensor(1.0, dtype=torch.float64))


def test_it_ends_where_there_are_no_more_dimensions(drawn):
    A = drawn(30, 3) @ drawn(3, 30)
    A = A @ A.T
    v = nn.functional.normalize(drawn(30, seed=1), dim=0)
    nodes, weights = lanczos(lambda x: A @ x, v, 20)
    assert len(nodes) == 4  # three directions, and one that A maps to zero
    values, vectors = torch.linalg.eigh(A)
    assert_close(nodes[-3:], values[-3:])
    assert_close(weights[-3:], (vectors.T @ v)[-3:].square())


def test_the_moments_of_the_density_are_those_of_the_matrix_within_their_errors(small):
    density = small.density(probes=60, steps=8)
    for k in range(1, 6):
        value, error = density.moment(k)
        exact = float(torch.linalg.matrix_power(small.matrix(), k).trace()) / small.n
        assert abs(value - exact) < 4 * error
        assert error < abs(exact)


def test_the_density_is_that_of_the_eigenvalues_smoothed_as_much(small):
    found = small.density(probes=40, steps=30).smoothed(0.1)
    exact = SpectralDensity.of(small.eigenvalues(), width=0.1)
    at = np.linspace(-0.2, float(small.eigenvalues()[-1]), 40)
    curves = ((found.x, found.values), (found.x, found.error), (exact.x, exact.values))
    found_at, error_at, exact_at = (np.interp(at, x, p) for x, p in curves)
    assert np.abs(found_at - exact_at).max() < 0.1 * exact_at.max()
    assert np.square((found_at - exact_at) / error_at).mean() < 3  # neighbouring points err together


def test_a_density_has_the_integral_one(small):
    for density in (small.density(probes=4, steps=6), SpectralDensity.of(small.eigenvalues())):
        assert torch.trapezoid(density.values, density.x) == pytest.approx(1, abs=1e-5)


def test_a_density_of_one_value_can_be_drawn():
    density = SpectralDensity.of(torch.zeros(5))
    assert density.values.isfinite().all()
    assert torch.trapezoid(density.values, density.x) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("steps", [4, 10, 40])
@pytest.mark.parametrize("threshold", [0.003, 0.03, 0.3])
def test_the_fraction_near_zero_lies_between_its_bounds(drawn, steps, threshold):
    """For the vector that the quadrature began with, the fraction is the sum of its squared components."""
    A, v = symmetric(drawn, 60), nn.functional.normalize(drawn(60, seed=1), dim=0)
    values, vectors = torch.linalg.eigh(A)
    scale = float(values.abs().max())
    exact = float((vectors.T @ v)[values.abs() <= threshold * scale].square().sum())
    nodes, weights = lanczos(lambda x: A @ x, v, steps)
    value, low, high = SpectralDensity([nodes], [weights]).near_zero(threshold, scale)
    assert low - 1e-12 <= exact <= high + 1e-12
    assert low <= value <= high


def test_the_fraction_near_zero_counts_what_is_within_the_threshold(small):
    values = small.eigenvalues().abs()
    assert small.near_zero(0.01) == pytest.approx(float((values <= 0.01 * values.max()).sum()) / small.n)
    assert near_zero(values, 0.5, scale=float(values.max()) / 50) == pytest.approx(small.near_zero(0.01))
    assert 0 < small.near_zero(0.01) < 1


def test_a_matrix_that_is_too_large_is_refused_until_it_is_asked_for(small):
    for ask in (small.matrix, small.eigenvalues):
        with pytest.raises(InputError, match=rf"matrix\(largest={small.n}\), or use trace"):
            ask(largest=small.n - 1)
        assert len(ask(largest=small.n)) == small.n


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        (lambda model: model(torch.zeros(2, 4, dtype=torch.float64)), "one finite number"),
        (lambda model: torch.tensor(torch.nan), "one finite number"),
        (lambda model: 1.0, "one finite number"),
        (lambda model: torch.tensor(1.0), "does not depend on the weights"),
    ],
)
def test_what_is_no_loss_of_the_model_is_refused(build, loss, said):
    with pytest.raises(InputError, match=said):
        hessian(build()[0], loss)


def test_wrong_arguments_are_told_in_a_sentence(build, small):
    for wrong, said in (
        (lambda: hessian(build()[0].requires_grad_(False), build()[1]), "no parameters that require a gradient"),
        (lambda: small.matvec(torch.zeros(3)), r"not \(3,\)"),
        (lambda: small.trace(1), "at least 2 samples"),
        (lambda: small.density(probes=1), "at least 2 probes"),
        (lambda: small.leading(0), "not 0"),
        (lambda: small.near_zero(0), "must be positive"),
        (lambda: small.density(2, 2).near_zero(0.1, -1), "must be positive"),
        (lambda: small.density(2, 2).smoothed(0), "width"),
    ):
        with pytest.raises(InputError, match=said):
            wrong()


@pytest.mark.slow
def test_of_the_papers_network_the_whole_spectrum_can_be_had(drawn):
    """40 inputs, 100 neurons, 10 classes: 5110 weights."""
    x = drawn(100, 40)
    digits = torch.randint(10, (100,), generator=torch.Generator().manual_seed(1))
    model = nn.Sequential(nn.Linear(40, 100), nn.Tanh(), nn.Linear(100, 10)).double()
    H = hessian(model, lambda model: nn.functional.cross_entropy(model(x), digits))
    assert H.n == 5110
    values = H.eigenvalues()
    trace, error = H.trace(200)
    assert abs(trace - float(values.sum())) < 4 * error
    assert_close(H.leading(2)[0], values.flip(0)[:2], rtol=1e-8, atol=0)
    density = H.density(probes=12, steps=60)
    for k in (1, 2, 3):
        value, spread = density.moment(k)
        assert abs(value - float((values**k).mean())) < 6 * spread  # of twelve probes
