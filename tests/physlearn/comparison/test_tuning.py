"""Learning rates are tuned without a look at what scores the networks."""

import json
import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from physlearn import compare
from physlearn.comparison import tuning as tuning_module
from physlearn.comparison.tuning import tune
from physlearn.tasks import Task
from physlearn.training import Training

QUICK = {"replicates": 3, "epochs": 2, "tuned": False, "progress": False}
TWO = {"sine": "sine", "tanh": "tanh"}


def test_tuning_finds_the_rate_that_alone_can_work(task):
    pairs, tuning = task.pairs("training"), task.pairs("tuning")
    how = Training(epochs=40, batch_size=20)
    tuned = tune(task, "sine", how, pairs, tuning, learning_rates=(1e-9, 1e-2, 1e-8), replicates=3)
    assert tuned.learning_rate == 1e-2
    assert tuned.at_the_edge  # it is the highest, though it stands in the middle
    assert tuned.tried.idxmin() == 1e-2
    assert not tune(task, "sine", how, pairs, tuning, learning_rates=(1e-9, 1e-2, 1e30), replicates=3).at_the_edge


def test_a_rate_with_which_a_network_diverges_loses_to_any_that_is_safe(task, monkeypatch):
    """Though its median be better; where no rate is safe, the median decides."""
    real = tuning_module.train_ensemble
    lost = set()

    def with_losses(*args, **kwargs):
        history = real(*args, **kwargs)
        diverged = torch.tensor([k in lost for k in range(len(history.best))])
        return replace(history, diverged=history.diverged | diverged)

    monkeypatch.setattr(tuning_module, "train_ensemble", with_losses)
    given = (task, "sine", Training(epochs=40, batch_size=20), task.pairs("training"), task.pairs("tuning"))
    lost.update({3})
    assert tune(*given, learning_rates=(1e-9, 1e-2, 1e-8), replicates=3).learning_rate != 1e-2
    lost.update({0, 6})
    assert tune(*given, learning_rates=(1e-9, 1e-2, 1e-8), replicates=3).learning_rate == 1e-2
    lost.update({4, 5})
    tuned = tune(*given, learning_rates=(1e-9, 1e-2, 1e-8), replicates=3)
    assert tuned.learning_rate != 1e-2
    assert tuned.tried[1e-2] == math.inf


def test_the_geometric_mean_counts_the_networks_that_the_median_ignores(task, monkeypatch):
    losses = torch.tensor([[1.0, 1.0, 1e6], [2.0, 2.0, 2.0]])
    real = tuning_module.train_ensemble

    def with_losses(*args, **kwargs):
        history = real(*args, **kwargs)
        return replace(history, best=losses.flatten().to(history.best))

    monkeypatch.setattr(tuning_module, "train_ensemble", with_losses)
    given = (task, "sine", Training(epochs=1, batch_size=20), task.pairs("training"), task.pairs("tuning"))
    for by, wanted, middle in (("median", 0.1, [1, 2]), ("geometric mean", 0.2, [100, 2])):
        tuned = tune(*given, learning_rates=(0.1, 0.2), replicates=3, by=by)
        assert tuned.learning_rate == wanted
        assert tuned.tried.tolist() == pytest.approx(middle)


def test_tuning_sees_the_tuning_orbits_only_and_the_comparison_never_the_meta_learnings(monkeypatch, pendulum_task):
    asked, seen = [], []
    task = pendulum_task(spy=asked)
    real = tuning_module.train_ensemble

    def spying(models, pairs, validation, *args, **kwargs):
        seen.append((pairs, validation))
        return real(models, pairs, validation, *args, **kwargs)

    monkeypatch.setattr(tuning_module, "train_ensemble", spying)
    compare(task, variants=TWO, learning_rates=(1e-3, 1e-2), tuning_replicates=2, **{**QUICK, "tuned": True})
    assert not {"meta-training", "meta-validation"} & set(asked)
    assert len(seen) == 2
    for pairs, validation in seen:
        assert_close(pairs.z, task.pairs("training").z, rtol=0, atol=0)
        assert_close(validation.z, task.pairs("tuning").z, rtol=0, atol=0)


def test_tuning_networks_are_none_of_those_that_are_compared(task, monkeypatch, learned):
    drawn = []
    real = Task.network
    monkeypatch.setattr(Task, "network", lambda self, a, seed=0: drawn.append(seed) or real(self, a, seed))
    compare(task, [learned(), learned(seed=1)], learning_rates=(1e-3, 1e-2), tuning_replicates=2, variants={},
            forecast=False, **{**QUICK, "tuned": True})  # fmt: skip
    for_tuning = {seed for seed in drawn if seed >= 500_000}
    compared = set(drawn) - for_tuning
    assert len(for_tuning) == 2 * 2
    assert len(compared) == 2 * 3  # those of two meta-seeds are apart


def test_untuned_networks_take_the_rate_of_the_task_or_the_one_that_is_given(task):
    assert set(compare(task, variants=TWO, forecast=False, **QUICK).table["learning_rate"]) == {1e-2}
    given = compare(task, variants=TWO, forecast=False, learning_rate=3e-3, **QUICK)
    assert set(given.table["learning_rate"]) == {3e-3}
    assert given.settings["rates"] is None


def test_a_rate_that_was_tried_and_diverged_can_be_written_down(task, tmp_path):
    wild = replace(task, model="nn")
    result = compare(wild, variants={"identity": "identity", "sine": "sine"}, learning_rates=(1e-2, 1e30), tuning_replicates=2,
                     forecast=False, **{**QUICK, "tuned": True})  # fmt: skip
    assert set(result.table["learning_rate"]) == {1e-2}
    result.save(tmp_path)
    tried = json.loads((tmp_path / "manifest.json").read_text())["settings"]["variants"]["identity (0)"]["tried"]
    assert tried["1e+30"] is None
    assert tried["0.01"] > 0
