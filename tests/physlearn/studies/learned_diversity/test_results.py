"""What is kept is read, not computed again, and never taken for something else."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from physlearn import tasks
from physlearn.forecasting import environment
from physlearn.jobs import Workers
from physlearn.jobs import store as store_module
from physlearn.source import digest_of_source
from physlearn.studies.learned_diversity import results as module
from physlearn.studies.learned_diversity.results import Asked, Results

LEARNING = {"outer_steps": 2, "inner_steps": 3, "networks": 2, "variant": "unrolled"}
COMPARING = {"replicates": 2, "epochs": 1, "tuned": False, "forecast": False, "variants": {}}


@pytest.fixture(scope="module")
def task():
    return tasks.get("van-der-pol", orbits=5)


@pytest.fixture
def results(tmp_path):
    return Results(tmp_path / "runs", progress=False)


def forbid(monkeypatch, name):
    def again(*args, **kwargs):
        raise AssertionError(f"{name} is computed again")

    monkeypatch.setattr(module, name, again)


def test_activations_are_learned_once(results, task, monkeypatch):
    first = results.learned(task, types=1, **LEARNING)
    forbid(monkeypatch, "learn_unit")
    torch.testing.assert_close(results.learned(task, types=1, **LEARNING).values, first.values, rtol=0, atol=0)
    with pytest.raises(AssertionError, match="again"):
        results.learned(task, types=2, **LEARNING)
    with pytest.raises(AssertionError, match="again"):
        Results(results.folder, seed=1, progress=False).learned(task, types=1, **LEARNING)
    with pytest.raises(AssertionError, match="again"):
        results.learned(tasks.get("van-der-pol", orbits=5, mu=1.0), types=1, **LEARNING)
    with pytest.raises(AssertionError, match="again"):  # what a task's own settings are is a setting, too
        results.learned(replace(task, learning={"variant": "unrolled", "batch_size": 7}), types=1, **LEARNING)
    with pytest.raises(AssertionError, match="again"):
        results.learned(task, types=1, **{**LEARNING, "sigma": 0.1})


def test_a_comparison_is_made_once_for_the_same_curves(results, task, monkeypatch):
    learned, single = (results.learned(task, types=types, **LEARNING) for types in (2, 1))
    first = results.compared(task, learned, single, **COMPARING)
    forbid(monkeypatch, "compare")
    again = results.compared(task, learned, single, **COMPARING)
    pd.testing.assert_frame_equal(again.table, first.table)
    with pytest.raises(AssertionError, match="again"):
        results.compared(task, single, single, **COMPARING)
    with pytest.raises(AssertionError, match="again"):
        results.compared(replace(task, training=replace(task.training, batch_size=7)), learned, single, **COMPARING)


@pytest.mark.slow
def test_several_processes_learn_and_compare_the_same(results, task):
    apart = Results(results.folder.with_name("apart"), progress=False, workers=Workers(2))
    curves = [one.several(task, range(2), types=2, **LEARNING) for one in (results, apart)]
    for a, b in zip(*curves, strict=True):
        torch.testing.assert_close(a.values, b.values, rtol=0, atol=0)
    asked = [Asked(learned, None, k, COMPARING) for k, learned in enumerate(curves[0])]
    for a, b in zip(*(one.comparisons(task, asked) for one in (results, apart)), strict=True):
        pd.testing.assert_frame_equal(a.table, b.table)
    assert sorted(path.name for path in results.folder.iterdir()) == sorted(path.name for path in apart.folder.iterdir())


@pytest.mark.slow  # 4 s
def test_what_was_stopped_leaves_nothing_that_passes_for_a_result(results, task, monkeypatch):
    learned, single = (results.learned(task, types=types, **LEARNING) for types in (2, 1))

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(store_module, "seal", stopped)
    with pytest.raises(KeyboardInterrupt):
        results.compared(task, learned, single, **COMPARING)
    monkeypatch.undo()
    assert len(results.compared(task, learned, single, **COMPARING).table) == 2 * len(learned.types) + 2 * 3


def test_what_was_changed_or_cut_short_is_computed_again(results, task):
    first = results.learned(task, types=2, **LEARNING)
    table = results.compared(task, first, **COMPARING).table
    numbers = results.table("numbers", {}, lambda: pd.DataFrame({"n": [1]}))
    files = [path for path in results.folder.rglob("*") if path.suffix in (".safetensors", ".parquet")]
    assert len(files) == 4
    for path in files:
        path.write_bytes(path.read_bytes()[:-9])
    torch.testing.assert_close(results.learned(task, types=2, **LEARNING).values, first.values, rtol=0, atol=0)
    pd.testing.assert_frame_equal(results.compared(task, first, **COMPARING).table, table)
    pd.testing.assert_frame_equal(results.table("numbers", {}, lambda: pd.DataFrame({"n": [1]})), numbers)


def test_tables_are_kept_by_their_settings(results):
    made = []

    def make(n):
        made.append(n)
        return pd.DataFrame({"n": [n]})

    values = [results.table("numbers", {"n": n}, lambda n=n: make(n))["n"].item() for n in (1, 2, 1)]
    assert values == [1, 2, 1]
    assert made == [1, 2]


def test_results_of_other_code_are_counted_apart(results, monkeypatch):
    def numbers(n):
        results.table("numbers", {"n": n}, lambda: pd.DataFrame({"n": [n]}))

    numbers(1)
    monkeypatch.setattr(environment, "digest_of_source", lambda: "another")
    numbers(1)
    numbers(2)
    assert dict(results.sources) == {digest_of_source(): 2, "another": 1}
