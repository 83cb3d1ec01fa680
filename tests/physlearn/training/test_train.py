import math

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.training import Training, derivative_loss, train
from physlearn.training.ensemble import train_single
from systems import InputError, IntegrationError


def test_the_loss_is_the_papers_sum_or_the_mean_over_components(pendulum_pairs):
    pairs = pendulum_pairs[0]
    model = models.build("hnn", 2)
    z = pairs.z.clone().requires_grad_()
    dq, dp = torch.autograd.grad(model.hamiltonian(z).sum(), z)[0].T
    by_hand = ((pairs.rate[:, 0] - dp) ** 2 + (pairs.rate[:, 1] + dq) ** 2).mean()  # equation 6
    assert_close(derivative_loss(model, pairs.z, pairs.rate, "sum"), by_hand)
    assert_close(derivative_loss(model, pairs.z, pairs.rate, "mean"), by_hand / 2)


@pytest.mark.parametrize("name", ["nn", "hnn", "hnn-separable", "hnn-mechanical"])
def test_training_beats_the_best_linear_model(name, pendulum_pairs):
    pairs, held_out = pendulum_pairs
    linear = models.build("linear", 2)
    linear.solve(pairs.z, pairs.rate)
    model = models.build(name, 2, (30,), "tanh")
    train(model, pairs, None, Training(epochs=60, batch_size=32), progress=False)
    assert derivative_loss(model, held_out.z, held_out.rate) < 0.2 * derivative_loss(linear, held_out.z, held_out.rate)


def test_the_same_seed_trains_to_the_same_weights_and_another_does_not(pendulum_pairs):
    def weights(seed):
        model = models.build("hnn", 2, (8,))
        train(model, pendulum_pairs[0], None, Training(epochs=2), seed=seed, progress=False)
        return torch.cat([p.flatten() for p in model.parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_training_leaves_the_global_random_numbers_alone(pendulum_pairs):
    before = torch.get_rng_state()
    train(models.build("nn", 2, (8,)), pendulum_pairs[0], None, Training(epochs=1), progress=False)
    assert torch.equal(before, torch.get_rng_state())


def test_the_weights_of_the_best_epoch_are_kept(pendulum_pairs):
    pairs, held_out = pendulum_pairs
    model = models.build("nn", 2, (8,), "sine")
    history = train(model, pairs, held_out, Training(epochs=15, learning_rate=0.3, schedule="constant"), progress=False)
    assert history["validation"].idxmin() < 14  # the rate is far too high, so the last epoch is not the best one
    with torch.no_grad():
        found = float(derivative_loss(model, held_out.z, held_out.rate))
    assert found == pytest.approx(history["validation"].min(), rel=1e-6)


@pytest.mark.parametrize("train", [train, train_single])
def test_early_stopping_waits_for_its_patience(train, pendulum_pairs):
    pairs, held_out = pendulum_pairs
    how = Training(epochs=200, learning_rate=0.3, schedule="constant", patience=4)
    history = train(models.build("nn", 2, (8,)), pairs, held_out, how, progress=False)
    assert len(history) < 200
    assert len(history) - 1 - history["validation"].idxmin() == 4


def test_the_learning_rate_falls_along_a_cosine(pendulum_pairs):
    history = train(
        models.build("nn", 2, (8,)), pendulum_pairs[0], None, Training(epochs=8, learning_rate=0.01), progress=False
    )
    expected = [0.01 * (1 + math.cos(math.pi * k / 8)) / 2 for k in range(8)]
    assert history["learning_rate"].tolist() == pytest.approx(expected)


def test_a_loss_that_diverges_is_an_error_that_says_what_to_do(pendulum_pairs):
    model = models.build("nn", 2, (8,), "identity")
    with pytest.raises(IntegrationError, match="lower learning_rate"):
        train(model, pendulum_pairs[0], None, Training(epochs=5, learning_rate=1e30), progress=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": 2.5},
        {"batch_size": -1},
        {"batch_size": 10.0},
        {"learning_rate": 0.0},
        {"schedule": "step"},
        {"patience": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        Training(**wrong)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_training_runs_on_a_gpu_and_ends_near_the_cpu(pendulum_pairs):
    losses = []
    for device in ("cpu", "cuda"):
        pairs, held_out = (p.to(torch.device(device), torch.float64) for p in pendulum_pairs)
        model = models.build("hnn", 2, (8,)).to(device).double()
        train(model, pairs, None, Training(epochs=5), progress=False)
        losses.append(float(derivative_loss(model, held_out.z, held_out.rate).detach()))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
