"""A search finds what is known to be good, goes on where it was, and is the same wherever its trials run."""

import importlib
import math
from types import SimpleNamespace

import optuna
import pandas as pd
import pytest
import torch
from optuna.distributions import FloatDistribution, IntDistribution

from physlearn import tasks
from physlearn.comparison import best, search
from physlearn.jobs import Workers
from systems import InputError, UnknownNameError

MODULE = importlib.import_module("physlearn.comparison.search")
RATE = {"learning_rate": FloatDistribution(1e-4, 1.0, log=True)}
QUICK = {"replicates": 2, "epochs": 2, "progress": False, "space": RATE}


@pytest.fixture(scope="module")
def task():
    return tasks.get("van-der-pol", orbits=5)


def test_the_same_budget_for_all_and_the_best_of_each(task, tmp_path):
    table = search(task, ["sine", "tanh"], tmp_path, trials=6, **QUICK)
    assert table["variant"].value_counts().to_dict() == {"sine": 6, "tanh": 6}
    assert table["learning_rate"].between(1e-4, 1).all()
    found = best(table)
    assert (found["loss"] == table.groupby("variant")["loss"].min()).all()
    rates = table[table["variant"] == "sine"].set_index("learning_rate")["loss"]
    assert rates.idxmin() > 3e-3  # in a few steps a small rate gets nowhere
    assert (tmp_path / "search.db").is_file()


@pytest.mark.parametrize(("where", "name"), [(MODULE, "evaluate"), (optuna.Study, "tell"), (optuna.Study, "ask")])
@pytest.mark.parametrize("moment", [pytest.param(1, marks=pytest.mark.slow), 5])
def test_a_search_that_was_stopped_goes_on_to_the_same_table(where, name, moment, task, tmp_path, monkeypatch):
    whole = search(task, ["sine"], tmp_path / "whole", trials=6, **QUICK)
    calls, real = iter(range(100)), getattr(where, name)

    def stopped(*arguments, **settings):
        if next(calls) == moment:
            raise KeyboardInterrupt
        return real(*arguments, **settings)

    monkeypatch.setattr(where, name, stopped)
    with pytest.raises(KeyboardInterrupt):
        search(task, ["sine"], tmp_path / "stopped", trials=6, **QUICK)
    monkeypatch.undo()
    resumed = search(task, ["sine"], tmp_path / "stopped", trials=6, **QUICK)
    pd.testing.assert_frame_equal(resumed, whole)
    monkeypatch.setattr(MODULE, "evaluate", None)
    again = search(task, ["sine"], tmp_path / "stopped", trials=6, **QUICK)
    pd.testing.assert_frame_equal(again, resumed)


@pytest.mark.parametrize(
    ("best", "diverged", "loss"),
    [
        ([1.0, 2.0, 6.0], [], 2.0),
        ([8.0, 1.0, 2.0, 3.0], [], 2.5),
        ([1.0, 2.0, 6.0], [0], math.inf),
        ([1.0, math.nan, 6.0], [], math.inf),
    ],
)
def test_the_loss_of_a_trial_is_the_median_over_its_networks(best, diverged, loss, task, monkeypatch):
    lost = torch.tensor([k in diverged for k in range(len(best))])
    monkeypatch.setattr(MODULE, "train_ensemble", lambda *_, **__: SimpleNamespace(best=torch.tensor(best), diverged=lost))
    assert MODULE.evaluate(task, "sine", task.training, len(best), 0, {"learning_rate": 0.1}) == (loss, len(diverged))


def test_other_settings_are_another_search(task, tmp_path):
    first = search(task, ["sine"], tmp_path, trials=2, **QUICK)
    other = search(task, ["sine"], tmp_path, trials=2, **{**QUICK, "epochs": 1})
    assert (first["loss"] != other["loss"]).all()


def test_activations_are_learned_in_each_trial(task, tmp_path):
    space = {
        **RATE,
        "types": IntDistribution(1, 3),
        "outer_steps": IntDistribution(2, 3),
        "inner_steps": IntDistribution(3, 5),
    }
    table = search(task, ["learned"], tmp_path, trials=2, **{**QUICK, "space": space})
    assert set(space) <= set(table.columns)
    assert table["loss"].notna().all()


def test_processes_find_the_same(task, tmp_path):
    tables = [search(task, ["sine"], tmp_path / str(n), trials=5, workers=Workers(n), **QUICK) for n in (1, 2)]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"variants": []}, InputError),
        ({"variants": ["magic"]}, UnknownNameError),
        ({"trials": 0}, InputError),
        ({"lerning_rate": 1}, InputError),
        ({"space": {"depth": IntDistribution(1, 2)}}, InputError),
    ],
)
def test_what_cannot_be_searched_is_refused(task, tmp_path, wrong, error):
    with pytest.raises(error):
        search(task, **{"variants": ["sine"], "folder": tmp_path, **QUICK, **wrong})


def test_a_database_that_cannot_be_used_is_told_in_a_sentence(task, tmp_path):
    (tmp_path / "search.db").write_text("no database")
    with pytest.raises(OSError, match=r"could not use .*search\.db.*: file is not a database"):
        search(task, ["sine"], tmp_path, trials=1, replicates=1, progress=False)
    assert (tmp_path / "search.db").read_text() == "no database"
