"""Losses are those of NumPy and of torch's own functions, on numbers where no two parts are alike."""

import pytest
import torch
from torch.testing import assert_close

from physlearn.training.loss import accuracy, cross_entropy, rate_error
from systems import InputError


@pytest.fixture
def rates():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 7, 4, generator=generator, dtype=torch.float64).unbind(0)


@pytest.mark.parametrize(("reduction", "divisor"), [("mean", 4), ("sum", 1)])
def test_the_error_of_rates_is_the_mean_of_their_squared_differences(rates, reduction, divisor):
    members = zip(*(x.numpy() for x in rates), strict=True)
    expected = [sum(((p - r) ** 2).sum() for p, r in zip(*pair, strict=True)) / 7 / divisor for pair in members]
    assert_close(rate_error(*rates, reduction), torch.tensor(expected, dtype=torch.float64))


def test_the_mean_over_components_is_the_default(rates):
    assert torch.equal(rate_error(*rates), rate_error(*rates, "mean"))
    with pytest.raises(InputError, match="reduction"):
        rate_error(*rates, "median")


def test_cross_entropy_and_accuracy_are_those_of_torch_and_of_counting():
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(3, 11, 5, generator=generator, dtype=torch.float64)
    classes = torch.randint(5, (3, 11), generator=generator)
    expected = [torch.nn.functional.cross_entropy(y, c) for y, c in zip(logits, classes, strict=True)]
    assert_close(cross_entropy(logits, classes), torch.stack(expected))
    right = [sum(int(y.argmax() == c) for y, c in zip(*pair, strict=True)) / 11 for pair in zip(logits, classes, strict=True)]
    assert_close(accuracy(logits, classes), torch.tensor(right, dtype=torch.float64))
    assert_close(cross_entropy(logits, classes[0])[1], cross_entropy(logits[1], classes[0]))
