"""A classifier: a network of logits on standardised inputs."""

import pytest
import torch
from torch.testing import assert_close

from physlearn import models
from physlearn.models import Classifier, Learner, Model
from physlearn.models.stack import stack
from systems import InputError


def built(seed=0, **options):
    return Classifier(6, 4, (9,), generator=torch.Generator().manual_seed(seed), **options)


def test_the_logits_are_those_of_the_layers_on_standardised_inputs():
    model, z = built(activation="tanh"), 5 + 3 * torch.randn(50, 6, generator=torch.Generator().manual_seed(1))
    model.standardize(z, torch.zeros(50, dtype=torch.long))
    first, last = model.network.layers
    u = (z - z.mean(0)) / z.std(0, correction=0)
    with torch.no_grad():
        assert_close(model(z), (u @ first.weight.T + first.bias).tanh() @ last.weight.T + last.bias)


def test_a_stack_gives_the_logits_of_each():
    several = [built(seed) for seed in range(3)]
    for seed, model in enumerate(several):
        model.standardize(seed + torch.randn(20, 6, generator=torch.Generator().manual_seed(seed)), torch.zeros(20))
    z = torch.randn(3, 7, 6, generator=torch.Generator().manual_seed(9))
    with torch.no_grad():
        assert_close(stack(several)(z), torch.stack([model(own) for model, own in zip(several, z, strict=True)]))


def test_it_is_trained_but_no_flow():
    assert isinstance(built(), Learner)
    assert not isinstance(built(), Model)
    assert Classifier.name not in models.names()  # that build makes, to forecast with


def test_one_class_is_nothing_to_tell_apart():
    with pytest.raises(InputError, match="at least 2 classes"):
        Classifier(6, 1, generator=torch.Generator())
