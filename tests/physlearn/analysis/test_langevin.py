"""Langevin paths have the moments that are known of them."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from physlearn.analysis import descent_noise, langevin
from systems import InputError

N = 4000


def start(*theta):
    return torch.tensor(theta, dtype=torch.float64).expand(N, len(theta))


def no_force(theta):
    return torch.zeros_like(theta)


def test_without_noise_it_slides_down_the_gradient():
    k, dt = torch.tensor([1.0, 3.0], dtype=torch.float64), 1e-4
    path = langevin(lambda theta: k * theta, torch.ones(2, dtype=torch.float64), 0.0, 1.0, dt)
    assert_close(path.z[-1], (-k).exp(), rtol=5e-4, atol=0)
    assert path.t[-1] == pytest.approx(1.0)
    assert path.z.shape == (10_001, 2)


def test_in_a_parabola_the_variance_becomes_that_of_its_temperature():
    """Of Euler's steps exactly D / (k (1 - k dt / 2))."""
    k, D, dt = 2.0, 0.3, 0.1
    path = langevin(lambda theta: k * theta, start(1.0), D, 4.0, dt)
    expected = D / (k * (1 - k * dt / 2))
    assert abs(float(path.z[:, -1].var()) - expected) < 4 * expected * math.sqrt(2 / N)
    assert abs(float(path.z[:, -1].mean())) < 4 * math.sqrt(expected / N) + (1 - k * dt) ** 40


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("constant", [True, False], ids=["constant", "function"])
def test_free_paths_spread_by_the_diffusion_matrix(drawn, d, rank, constant):
    D = (a := drawn(d, rank, seed=3)) @ a.T
    given = D if constant else lambda theta: D.expand(*theta.shape, d)
    path = langevin(no_force, start(*[0.0] * d), given, 1.0, 0.5)
    found = torch.cov(path.z[:, -1].T)
    assert_close(found, 2 * D, rtol=0, atol=6 * 2 * float(D.diagonal().max()) * math.sqrt(2 / N))
    outside = torch.linalg.eigh(D)[1][:, : d - rank]
    assert_close(path.z[:, -1] @ outside, torch.zeros(N, d - rank, dtype=torch.float64), rtol=0, atol=1e-6)


def test_noise_that_depends_on_theta_is_taken_in_the_sense_of_ito():
    """Without a force the mean then stays, while in Stratonovich's sense it would grow by e^(D t)."""
    D, time = 0.15, 1.0
    path = langevin(no_force, start(1.0), lambda theta: D * theta.square().squeeze(-1), time, 0.01)
    end = path.z[:, -1]
    assert abs(float(end.mean()) - 1) < 4 * math.sqrt(math.expm1(2 * D * time) / N)
    assert math.exp(D * time) - 1 > 8 * math.sqrt(math.expm1(2 * D * time) / N)
    assert float(end.square().mean()) == pytest.approx(math.exp(2 * D * time), rel=0.1)


def test_the_noise_of_descent_has_the_stationary_density_of_a_power():
    """With D = k L(theta), it is L^(-1 - 1/k), which is wider than Boltzmann's for the noise at the minimum."""
    h, floor, k = 1.5, 0.2, 0.3

    def loss(theta):
        return floor + h / 2 * theta.square().sum(-1)

    noise = descent_noise(loss, torch.tensor([[h]], dtype=torch.float64), learning_rate=k / h, batch_size=1)
    path = langevin(lambda theta: h * theta, start(0.0), noise, 8.0, 0.01)
    x = np.linspace(-30, 30, 200_001)
    p = (floor + h / 2 * x**2) ** (-1 - 1 / k)
    expected = float((x**2 * p).sum() / p.sum())
    assert float(path.z[:, -1].var()) == pytest.approx(expected, rel=0.12)  # 4 standard errors, of a law with wide tails
    assert expected > 1.1 * k * floor / h


def test_descent_noise_is_the_loss_times_the_hessian(drawn):
    H = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    theta = drawn(5, 2)
    D = descent_noise(lambda theta: theta.square().sum(-1), H, 0.1, 20)(theta)
    for own, x in zip(D, theta, strict=True):
        assert_close(own, 0.1 / 20 * float(x @ x) * H)


def test_a_seed_draws_the_same_paths_and_each_start_has_its_own():
    first, again, other = (langevin(no_force, start(0.0)[:3], 1.0, 1.0, 0.1, seed=seed).z for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(first[:, -1].unique()) == 3


def test_so_many_steps_are_kept_and_the_last_one():
    whole = langevin(no_force, start(0.0, 0.0)[:2], 1.0, 1.0, 0.1)
    few = langevin(no_force, start(0.0, 0.0)[:2], 1.0, 1.0, 0.1, every=4)
    assert_close(few.t, torch.tensor([0.0, 0.4, 0.8, 1.0], dtype=torch.float64))
    assert_close(few.z, whole.z[:, [0, 4, 8, 10]])
    assert few.coordinates == ("theta_1", "theta_2")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"diffusion": -1.0}, "must not be negative, but its smallest value is -1"),
        ({"diffusion": torch.diag(torch.tensor([1.0, -0.1]))}, "negative eigenvalue"),
        ({"diffusion": torch.diag(torch.tensor([1.0, 1.0, -0.1])), "start": torch.zeros(3)}, "negative eigenvalue -0.1"),
        ({"time": 0.0}, "time must be a positive number"),
        ({"dt": math.nan}, "dt must be a positive number"),
        ({"start": torch.zeros(2, dtype=torch.long)}, "floats"),
        ({"every": 0}, "at least 1 step"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(options, said):
    with pytest.raises(InputError, match=said):
        langevin(no_force, **{"start": torch.zeros(2), "diffusion": 1.0, "time": 1.0, "dt": 0.1, **options})


def test_a_descent_without_noise_or_batch_is_refused():
    for learning_rate, batch_size in ((0.0, 1), (0.1, 0)):
        with pytest.raises(InputError, match="must be positive"):
            descent_noise(lambda theta: theta, torch.eye(2), learning_rate, batch_size)
