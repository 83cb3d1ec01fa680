"""Decoupled weight decay is that of torch's AdamW, in each engine."""

import copy
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

import systems
from physlearn import models
from physlearn.training import Pairs, Training, train
from physlearn.training.ensemble import train_ensemble
from systems import InputError
from systems.scalars import seeded

DECAY = 0.5
HOW = Training(epochs=2, batch_size=50, learning_rate=1e-2, weight_decay=DECAY)


@pytest.fixture(scope="module")
def pairs():
    system = systems.get("henon-heiles")
    orbit = system.orbit(system.sample(12, seed=0, energy_range=(0.02, 0.125)), torch.linspace(0, 3, 10))
    return Pairs.of(orbit).to("cpu", torch.float32)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def by_hand(model, pairs, optimizer, schedule=1.0):
    """Two epochs in the order of the seed 0, by an optimizer of torch."""
    model.standardize(pairs.z, pairs.rate)
    shuffle, step = seeded(0), 0
    for _ in range(HOW.epochs):
        for batch in torch.randperm(len(pairs), generator=shuffle).split(HOW.batch_size):
            for group in optimizer.param_groups:
                group["lr"] = HOW.learning_rate * HOW.learning_rate_at(step, 6)
            optimizer.zero_grad()
            (model(pairs.z[batch]) - pairs.rate[batch]).square().mean().backward()
            optimizer.step()
            step += 1
    return weights(model)


@pytest.mark.parametrize(("name", "hidden"), [("hnn", (9,)), ("nn", (7, 6))])
@pytest.mark.parametrize("engine", ["alone", "torch", "fused"])
def test_decay_is_that_of_adamw(engine, name, hidden, pairs):
    model = models.build(name, 4, hidden)
    other = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(other.parameters(), lr=HOW.learning_rate, weight_decay=DECAY)
    wanted = by_hand(other, pairs, optimizer)
    plain = copy.deepcopy(model)
    if engine == "alone":
        train(model, pairs, None, HOW, 0, progress=False)
    else:
        train_ensemble([model], pairs, None, HOW, [0], engine=engine, progress=False)
    assert_close(weights(model), wanted, rtol=1e-4, atol=2e-5)
    train(plain, pairs, None, replace(HOW, weight_decay=0.0), 0, progress=False)
    assert (weights(plain) - wanted).abs().max() > 1e-3


def test_decay_out_of_range_is_refused():
    for value in (-1.0, 100.0, float("nan"), "much"):
        with pytest.raises(InputError, match="weight_decay"):
            replace(HOW, weight_decay=value)
