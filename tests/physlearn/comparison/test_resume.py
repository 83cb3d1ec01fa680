"""A comparison that is stopped resumes with the same result."""

import importlib
import shutil

import pytest
import torch

from physlearn import compare
from physlearn.activations import Table
from physlearn.comparison import compare_apart
from physlearn.jobs import Workers

compare_module = importlib.import_module("physlearn.comparison.compare")
combine_module = importlib.import_module("physlearn.comparison.combine")
QUICK = {"replicates": 3, "epochs": 2, "tuned": False, "progress": False}


@pytest.mark.parametrize("tuned", [False, True])
def test_a_comparison_that_is_stopped_resumes_and_gives_the_same(tuned, task, tmp_path, monkeypatch, same):
    how = {**QUICK, "tuned": tuned} | ({"learning_rates": (1e-3, 1e-2), "tuning_replicates": 1} if tuned else {})
    three = {"sine": "sine", "tanh": "tanh", "bent": Table.capture(torch.sin)}
    whole = compare(task, variants=three, **how)
    trained, real = [], compare_module.train_ensemble

    def stops(models, *arguments, **settings):
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(models)
        return real(models, *arguments, **settings)

    monkeypatch.setattr(compare_module, "train_ensemble", stops)
    with pytest.raises(KeyboardInterrupt):
        compare(task, variants=three, folder=tmp_path, **how)
    assert len(list(tmp_path.iterdir())) == 2
    trained.pop()
    same(compare(task, variants=three, folder=tmp_path, **how), whole)
    assert len(trained) == 2
    same(compare(task, variants=three, folder=tmp_path, **how), whole)  # nothing is left to train
    with pytest.raises(KeyboardInterrupt):
        compare(task, variants=three, folder=tmp_path, **{**how, "epochs": 1})


@pytest.mark.slow
def test_meta_seeds_that_are_shared_out_resume_too(task, tmp_path, monkeypatch, plain, learned, same):
    several = [learned(seed=seed) for seed in (0, 1)]
    whole = compare_apart(task, several, workers=Workers(), **QUICK)
    same(compare_apart(task, several, workers=Workers(), folder=tmp_path, **QUICK), whole)
    second = sorted(tmp_path.glob("*.seal"))[0].with_suffix("")
    shutil.rmtree(second)
    calls = []
    monkeypatch.setattr(combine_module, "compare", lambda *args, **settings: calls.append(1) or compare(*args, **settings))
    same(compare_apart(task, several, workers=Workers(), folder=tmp_path, **QUICK), whole)
    assert calls == [1]
