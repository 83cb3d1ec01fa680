from types import SimpleNamespace

import pytest
import torch

from physlearn import tasks
from physlearn.studies.learned_diversity import step_time


def test_variants_take_turns_and_a_step_takes_the_median_of_the_rounds_after_the_first(monkeypatch):
    task = tasks.get("van-der-pol", orbits=5)
    taken = {"sine": iter([99.0, 1.0, 5.0, 3.0, 2.0, 4.0]), "tanh": iter([99.0, 20.0, 20.0, 20.0, 20.0, 20.0])}
    order = []

    def trained(models, pairs, validation, training, seeds, progress):
        name = models[0].network.activation.name
        order.append((name, len(models), training.epochs * len(pairs) >= step_time.STEPS * training.batch_size))
        return SimpleNamespace(seconds=torch.tensor([0.0, next(taken[name])]), steps=7 / training.epochs)

    monkeypatch.setattr(step_time, "train_ensemble", trained)
    found = step_time.seconds_a_step({name: (task, name) for name in taken}, networks=2)
    assert found == pytest.approx({"sine": 3 / 7, "tanh": 20 / 7})
    assert order == [("sine", 2, True), ("tanh", 2, True)] * 6


def test_it_is_measured():
    task = tasks.get("van-der-pol", orbits=5)
    found = step_time.seconds_a_step({"sine": (task, "sine"), "tanh": (task, "tanh")}, networks=2)
    assert list(found) == ["sine", "tanh"]
    assert min(found.values()) > 0
