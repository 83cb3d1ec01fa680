"""How the errors of components add up, by formulas."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.training import Pairs, Training, train
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import Counting, rate_error
from systems import InputError, IntegrationError

N = 200


@pytest.fixture
def pairs():
    random = torch.Generator().manual_seed(0)
    z, rate = torch.randn(2, N, 2, generator=random)
    return Pairs(z, rate * torch.tensor([1e4, 1e-3]), ("q", "p"))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_each_component_counts_in_units_of_its_spread(reduction, pairs):
    model = models.build("nn", 2)
    model.standardize(pairs.z, pairs.rate)
    given = pairs.rate + torch.tensor([3.0, 2e-4])
    parts = Counting.of(pairs, reduction, weighted=True).parts(model, given, pairs.rate)
    wanted = (torch.tensor([3.0, 2e-4]) / pairs.rate.std(0, correction=0)).square() / (2 if reduction == "mean" else 1)
    assert_close(parts, wanted, rtol=1e-3, atol=0)  # 1e4 + 3 holds the 3 to 1e-4


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_loss_in_the_units_of_the_data_is_unweighted(reduction, weighted, pairs):
    unit = torch.tensor([1e-2, 5.0], dtype=torch.float64)
    counting = Counting.of(Pairs(pairs.z, pairs.rate, pairs.coordinates, unit), reduction, weighted=weighted)
    given = 1.01 * pairs.rate
    parts = counting.parts(models.build("nn", 2), given, pairs.rate)
    wanted = rate_error(given.double() * unit, pairs.rate.double() * unit, reduction)
    assert_close(counting.in_data_units(parts), wanted, rtol=1e-4, atol=0)
    assert weighted or float(parts.sum()) == pytest.approx(float(wanted), rel=1e-4)


def test_without_weights_and_units_the_loss_is_the_papers(pairs):
    counting = Counting.of(pairs, "sum", weighted=False)
    given = 1.01 * pairs.rate
    assert torch.equal(counting.parts(models.build("nn", 2), given, pairs.rate), rate_error(given, pairs.rate, "sum")[None])
    assert counting.told("training", torch.ones(3, 1)) == {"training": 1.0}


def test_a_slow_coordinate_is_learned_beside_a_fast_one(pairs):
    """The rates are q' = 1e4 p and p' = -1e-3 q: without weights, the error of p' is 1e-14 of the loss."""
    rate = torch.stack([1e4 * pairs.z[:, 1], -1e-3 * pairs.z[:, 0]], -1)
    data = Pairs(pairs.z, rate, pairs.coordinates)
    errors = {}
    for weighted in (True, False):
        model = models.build("hnn", 2, (16,), "tanh")
        train(model, data, None, Training(epochs=60, batch_size=20, weighted=weighted), progress=False)
        errors[weighted] = float(((model(data.z) - rate)[:, 1] / 1e-3).square().mean().detach())
    assert errors[False] > 1  # no better than 0
    assert errors[True] < 0.1 * errors[False]


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_data_whose_scales_overflow_are_refused(engine, pairs):
    data = Pairs(pairs.z * 1e30, pairs.rate, pairs.coordinates)
    with pytest.raises(InputError, match=r"overflow torch\.float32"):
        train(models.build("hnn", 2, (4,)), data, None, Training(epochs=1), progress=False)
    with pytest.raises(InputError, match=r"overflow torch\.float32"):
        train_ensemble([models.build("hnn", 2, (4,))], data, None, Training(epochs=1), [0], engine=engine, progress=False)


@pytest.mark.parametrize("weighted", [True, False])
def test_rates_whose_squares_overflow_are_refused(weighted, pairs):
    data = Pairs(pairs.z, pairs.rate * 1e25, pairs.coordinates)
    with pytest.raises(InputError, match=r"squares of these rates overflow torch\.float32"):
        train(models.build("nn", 2, (4,)), data, None, Training(epochs=1, weighted=weighted), progress=False)


def test_a_loss_in_units_that_overflow_is_refused(pairs):
    unit = torch.tensor([1e25, 1.0], dtype=torch.float64)
    with pytest.raises(InputError, match="weighted=True"):
        Counting.of(Pairs(pairs.z, pairs.rate, pairs.coordinates, unit), "mean", weighted=False)


def test_weights_that_are_not_finite_never_come_out(pairs):
    """The loss of the only step is finite, and so the gradient; the weights after it are not."""
    model = models.build("nn", 2, (4, 4), "identity")
    how = Training(epochs=1, batch_size=N, learning_rate=3e38, optimizer="sgd")
    with pytest.raises(IntegrationError, match="lower learning_rate"):
        train(model, pairs, None, how, progress=False)
