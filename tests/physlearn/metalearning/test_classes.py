"""Activations are meta-learned for classifiers as they are for flows."""

import math
from dataclasses import replace

import pytest
import torch

from physlearn import metalearn, tasks
from physlearn.metalearning import VARIANTS
from physlearn.training.ensemble import train_ensemble


@pytest.fixture
def digits(small):
    return replace(small("mnist1d"), hidden=(8,))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_finds_curves_for_digits(variant, digits, settings):
    learned = metalearn(digits, **{**settings, "variant": variant, "outer_learning_rate": 0.1, "examine_every": 1})
    assert learned.values.shape == (2, 100)
    assert learned.values.isfinite().all()
    assert learned.losses[["objective", "held_out", "gradient"]].abs().max().max() < 100
    assert abs(learned.history[-2] - learned.history[0]).max() > 1e-3
    assert learned.settings["model"] == "classifier"


def test_from_nearly_the_null_function_curves_arise_that_classify():
    """At first all digits look the same to a network, which then loses log 10, one in ten being right."""
    task = replace(tasks.get("mnist1d", samples=300), hidden=(20,))
    how = {"inner_steps": 10, "networks": 8, "batch_size": 50, "outer_learning_rate": 0.03, "progress": False}
    losses = metalearn(task, base="zero", gain=0.1, variant="first-order", outer_steps=20, **how).losses["smoothed"]
    assert losses.iloc[0] == pytest.approx(math.log(math.log(10)), abs=0.02)
    assert losses.iloc[-1] < losses.iloc[0] - 0.1


@pytest.mark.parametrize("engine", ["torch", "fused"])
def test_linearly_interpolated_curves_train_a_classifier(engine, digits, settings):
    mix = metalearn(digits, **settings).interpolated("linear").mix
    pairs = digits.pairs("training")
    networks = [digits.network(mix, seed) for seed in range(2)]
    how = replace(digits.training, epochs=30, batch_size=25)
    history = train_ensemble(networks, pairs, None, how, [0, 1], engine=engine, progress=False)
    assert torch.isfinite(history.training).all()
    assert (history.training[-1] < 0.9 * history.training[0]).all()
