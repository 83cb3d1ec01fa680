"""Wrong arguments of compare are refused before any training."""

import pytest
import torch

from physlearn import compare
from physlearn.activations import Table
from physlearn.activations.learned import LearnedActivations
from physlearn.training.fused_engine import FusedEngine
from systems import InputError

QUICK = {"replicates": 3, "epochs": 2, "tuned": False, "progress": False}
TWO = {"sine": "sine", "tanh": "tanh"}
LINEAR = Table.capture(torch.sin, kind="linear")


def learned(types=2, seed=0, base="sine"):
    x = torch.linspace(-10, 10, 100)
    bends = 0.3 * torch.randn(types, 1, generator=torch.Generator().manual_seed(seed))
    return LearnedActivations(x.sin() + bends * x.tanh(), base=base, task="swing", settings={"seed": seed})


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"replicates": 0}, "replicates must be at least 1"),
        ({"replicates": 2.5}, "whole number, not 2.5"),
        ({"seed": 2**70}, r"below 2\^32"),
        ({"seed": 0.5}, "whole number"),
        ({"epochs": 0}, "epochs must be positive"),
        ({"epoch": 3}, "no setting 'epoch'"),
        ({"optimizer": "lion"}, "no optimizer 'lion'"),
        ({"variants": {}}, "nothing to compare"),
        ({"variants": {"x": "cosinus"}}, "no activation 'cosinus'"),
        ({"variants": {"sine": "sine", "x": "cosinus"}}, "no activation 'cosinus'"),
        ({"variants": {"sine": "sine", "flat": LINEAR}}, "linear interpolation"),
        ({"tuned": True, "learning_rate": 0.1}, "tuned=False"),
        ({"learned": learned(), "variants": {"mix": "tanh"}}, "'mix' is that of learned"),
        ({"engine": "steam"}, "no engine"),
        ({"tuned": True, "learning_rates": ()}, "at least one learning rate"),
        ({"tuned": True, "learning_rates": (0.1, -0.1)}, "positive"),
        ({"tuned": True, "tuning_replicates": 0}, "at least one learning rate and one network"),
        ({"tuned": True, "tuned_by": "mode"}, "by median or geometric mean, not 'mode'"),
        ({"learned": [learned(), learned(seed=1)], "single": learned(1)}, "2 meta-seeds need as many single types"),
        ({"learned": learned(), "single": learned(2)}, "one learned type, not 2"),
        ({"learned": [learned(), learned(3)]}, "same base and as many types"),
        ({"learned": [learned(), learned(base="tanh")]}, "same base and as many types"),
    ],
    ids=str,
)
def test_wrong_arguments_are_answered_in_one_sentence_before_any_training(wrong, sentence, task, monkeypatch):
    monkeypatch.setattr(FusedEngine, "epoch", lambda *_: pytest.fail("it began to train"))
    given = {"variants": {} if "learned" in wrong else TWO, **QUICK, **wrong}
    with pytest.raises(InputError, match=sentence) as refusal:
        compare(task, given.pop("learned", None), **given)
    assert "\n" not in str(refusal.value)
