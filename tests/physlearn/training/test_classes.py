"""Classes are learned by the cross-entropy, in all ways in which rates are."""

import copy

import pytest
import torch
from torch.testing import assert_close

from physlearn.activations import Mixture, Table
from physlearn.models import Classifier
from physlearn.training import Pairs, Training, train
from physlearn.training.ensemble import train_ensemble
from physlearn.training.loss import accuracy, cross_entropy, loss_of, rate_error
from systems import InputError

FEW = Training(epochs=3, batch_size=50, learning_rate=1e-2)  # 120 pairs: the last batch has 20
D, C = 5, 3


def pairs_of(seed, n=120):
    """Around a circle in the plane of two of the coordinates, three sectors."""
    z = torch.randn(n, D, generator=torch.Generator().manual_seed(seed))
    sector = torch.atan2(z[:, 0], z[:, 1]).div(2 * torch.pi / C).floor().long() % C
    return Pairs(2 + 3 * z, sector, tuple("abcde"))


def learned(seed):
    bend = torch.randn(2, 1, generator=torch.Generator().manual_seed(seed))
    x = torch.linspace(-10, 10, 100)
    return Mixture([Table(x.sin() + 0.2 * b * x.tanh()) for b in bend])


def build(activation="sine", seeds=(0, 1, 2), hidden=(9,)):
    return [Classifier(D, C, hidden, activation, generator=torch.Generator().manual_seed(seed)) for seed in seeds]


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.fixture
def logits():
    return 4 * torch.randn(6, 11, C, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def classes():
    return torch.randint(C, (6, 11), generator=torch.Generator().manual_seed(1))


def test_the_cross_entropy_is_torchs_own(logits, classes):
    wanted = torch.stack([torch.nn.functional.cross_entropy(x, c) for x, c in zip(logits, classes, strict=True)])
    assert_close(cross_entropy(logits, classes), wanted)
    assert_close(cross_entropy(logits, classes[0])[0], wanted[0])  # the same classes for all


def test_logits_of_any_size_have_a_finite_cross_entropy():
    huge = torch.tensor([[1e4, 0.0, -1e4]])
    assert_close(cross_entropy(huge, torch.tensor([2])), torch.tensor(2e4))
    assert_close(cross_entropy(huge, torch.tensor([0])), torch.tensor(0.0))


def test_its_derivatives_of_both_orders_are_those_of_numbers(logits, classes):
    x = logits[0, :4].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: cross_entropy(x, classes[0, :4]), x)
    assert torch.autograd.gradgradcheck(lambda x: cross_entropy(x, classes[0, :4]), x)


def test_the_accuracy_is_the_share_of_right_answers(logits):
    given = torch.tensor([[0.0, 3.0, 1.0], [2.0, 1.0, 0.0], [0.0, 0.0, 5.0], [1.0, 0.0, 0.5]])
    assert_close(accuracy(given, torch.tensor([1, 1, 2, 0])), torch.tensor(0.75))
    right = logits.argmax(-1)
    assert_close(accuracy(logits, right), torch.ones(6, dtype=torch.float64))
    assert_close(accuracy(logits, (right + 1) % C), torch.zeros(6, dtype=torch.float64))


def test_a_classifier_loses_by_its_classes_a_flow_by_its_rates(logits, classes):
    model = build()[0]
    assert_close(loss_of(model, logits, classes, "sum"), cross_entropy(logits, classes))
    rate = torch.zeros_like(logits)
    assert_close(loss_of(torch.nn.Identity(), logits, rate, "sum"), rate_error(logits, rate, "sum"))


def test_pairs_keep_their_classes_whole_when_they_move():
    pairs = pairs_of(0)
    assert pairs.to(torch.device("cpu"), torch.float64).z.dtype == torch.float64
    assert torch.equal(pairs.to(torch.device("cpu"), torch.float64).target, pairs.target)


@pytest.mark.parametrize(("engine", "hidden"), [("torch", (9,)), ("fused", (9,)), ("torch", (7, 6)), ("fused", (7, 6))])
@pytest.mark.parametrize("activation", ["sine", "relu", learned(0)], ids=["sine", "relu", "learned"])
def test_a_classifier_of_an_ensemble_is_the_one_trained_alone(engine, hidden, activation):
    pairs, held_out = pairs_of(0), pairs_of(1, 40)
    networks = build(activation, hidden=hidden)
    alone = copy.deepcopy(networks)
    history = train_ensemble(networks, pairs, held_out, FEW, [10, 11, 12], engine=engine, progress=False)
    for k, model in enumerate(alone):
        frame = train(model, pairs, held_out, FEW, 10 + k, progress=False)
        assert_close(history.training[:, k].double(), torch.tensor(frame["training"].to_numpy()), rtol=1e-4, atol=0)
        assert_close(history.validation[:, k].double(), torch.tensor(frame["validation"].to_numpy()), rtol=1e-4, atol=0)
        assert_close(weights(networks[k]), weights(model), rtol=1e-4, atol=2e-5)


def test_the_loops_are_taken_where_they_apply():
    pairs = pairs_of(0)
    assert train_ensemble(build(), pairs, None, FEW, [0, 1, 2], progress=False).engines == ("fused",) * 3
    assert train_ensemble(build(hidden=(4, 4)), pairs, None, FEW, [0, 1, 2], progress=False).engines == ("fused",) * 3
    assert train_ensemble(build("mish"), pairs, None, FEW, [0, 1, 2], progress=False).engines == ("torch",) * 3
    with pytest.raises(InputError, match="a compiled activation"):
        train_ensemble(build("mish"), pairs, None, FEW, [0, 1, 2], engine="fused", progress=False)


def test_sectors_are_learned():
    pairs, held_out = pairs_of(0, 600), pairs_of(1, 300)
    networks = build("tanh", hidden=(30,))
    train_ensemble(networks, pairs, None, Training(epochs=30, batch_size=50, learning_rate=2e-2), [0, 1, 2], progress=False)
    with torch.no_grad():
        assert all(accuracy(model(held_out.z), held_out.target) > 0.9 for model in networks)
