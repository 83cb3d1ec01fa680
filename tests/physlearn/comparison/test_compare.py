"""compare: paired replicates, tuned without a look at what scores them, and everything that came of it told."""

import importlib
import json
import math
import os
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib import pyplot as plt
from torch.testing import assert_close

import systems
from physlearn import compare, metrics, tasks
from physlearn.activations import Table
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, compare_apart, line_up
from physlearn.comparison import tuning as tuning_module
from physlearn.comparison.forecasts import forecast_merits
from physlearn.comparison.tuning import tune
from physlearn.integrators import integrate
from physlearn.jobs import Workers
from physlearn.tasks import Forecasting, Task
from physlearn.training import Training
from physlearn.training.fused_engine import FusedEngine
from systems import InputError, Orbit

compare_module = importlib.import_module("physlearn.comparison.compare")
combine_module = importlib.import_module("physlearn.comparison.combine")
QUICK = {"replicates": 3, "epochs": 2, "tuned": False, "progress": False}
TWO = {"sine": "sine", "tanh": "tanh"}
LINEAR = Table.capture(torch.sin, kind="linear")


def pendulum_task(model="hnn", training=None, spy=None):
    """A pendulum, which is quick: 6 orbits in every part, 3 of which are forecast for 2 time units."""
    system = systems.get("pendulum")
    t = torch.linspace(0, 2, 11, dtype=torch.float64)

    def of_part(part):
        if spy is not None:
            spy.append(part)
        return system.orbit(system.sample(6, seed=100 + tasks.PARTS.index(part)), t)

    def forecasting():
        truth = of_part("test")
        return Forecasting(truth, ("euler", "implicit-midpoint"), system.hamiltonian, torch.full((6,), 1.5))

    how = training or Training(epochs=10, batch_size=20, learning_rate=1e-2)
    return Task("swing", "a pendulum's swing", model, of_part, forecasting, training=how, hidden=(10,))


@pytest.fixture(scope="module")
def task():
    return pendulum_task()


def learned(types=2, seed=0, base="sine"):
    x = torch.linspace(-10, 10, 100)
    bends = 0.3 * torch.randn(types, 1, generator=torch.Generator().manual_seed(seed))
    return LearnedActivations(x.sin() + bends * x.tanh(), base=base, task="swing", settings={"seed": seed})


@pytest.fixture(scope="module")
def result(task):
    return compare(task, learned(), single=learned(1, 5), **QUICK)


def test_a_comparison_tells_a_row_a_replicate_and_variant_in_the_columns_of_the_contract(result):
    table = result.table
    assert list(table.columns) == [
        "meta_seed", "replicate", "variant", "loss", "validation_loss", "diverged", "learning_rate",
        "valid_time_euler", "energy_error_euler", "valid_time_implicit-midpoint", "energy_error_implicit-midpoint",
    ]  # fmt: skip
    variants = ["sine", "type 1", "type 2", "mix", "single", "tanh", "relu", "sine+tanh"]
    assert table["variant"].unique().tolist() == variants
    assert len(table) == 3 * len(variants)
    assert not table.isna().to_numpy().any()
    assert result.reference == "mix"


def test_replicates_are_paired_they_begin_with_the_same_weights_and_see_the_same_batches(task):
    """Activations that compute the same must come out the same."""
    table = Table.capture(torch.sin, points=2000)
    result = compare(task, variants={"sine": "sine", "captured": table}, engine="torch", **QUICK)
    wide = result.table.pivot(index="replicate", columns="variant", values="loss")
    np.testing.assert_allclose(wide["sine"], wide["captured"], rtol=1e-4)
    assert wide["sine"].nunique() == 3  # and yet replicates differ


def test_what_hardly_trains_is_scored_as_its_initial_weights_are(task):
    result = compare(task, variants=TWO, seed=7, learning_rate=1e-12, **QUICK)
    pairs, test = task.pairs("training"), task.pairs("test")
    for row in result.table.itertuples():
        model = task.network(row.variant, 7 + row.replicate)
        model.standardize(pairs.z, pairs.rate)
        with torch.no_grad():
            wanted = (model(test.z) - test.rate).square().mean()
        assert row.loss == pytest.approx(float(wanted), rel=1e-4)


def test_what_is_scored_is_the_test_part_and_what_is_kept_the_best_of_validation(task):
    result = compare(task, variants=TWO, **{**QUICK, "epochs": 5}, learning_rate=0.3, schedule="constant")
    other = replace(task, data=lambda part: task.part("training" if part == "test" else part))
    elsewhere = compare(other, variants=TWO, **{**QUICK, "epochs": 5}, learning_rate=0.3, schedule="constant")
    pd.testing.assert_series_equal(result.table["validation_loss"], elsewhere.table["validation_loss"])
    assert (result.table["loss"] != elsewhere.table["loss"]).all()
    best = result.curves.groupby("variant")["median"].min()
    assert (result.table.groupby("variant")["validation_loss"].median() <= best + 1e-7).all()


def test_the_same_seed_gives_the_same_table_and_another_does_not(task):
    def table(seed):
        return compare(
            task, variants=TWO, seed=seed, learning_rates=(1e-3, 1e-2), tuning_replicates=2, **{**QUICK, "tuned": True}
        ).table

    pd.testing.assert_frame_equal(table(0), table(0))
    assert (table(0)["loss"] != table(1)["loss"]).all()


def test_a_variant_does_not_depend_on_the_others_beside_it(task):
    alone = compare(task, variants={"tanh": "tanh"}, **QUICK).table
    beside = compare(task, variants=TWO, **QUICK).table.query("variant == 'tanh'").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, beside)


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


def test_tuning_sees_the_tuning_orbits_only_and_the_comparison_never_the_meta_learnings(monkeypatch):
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


def test_tuning_networks_are_none_of_those_that_are_compared(task, monkeypatch):
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


def test_several_meta_seeds_are_rows_of_their_own_with_networks_of_their_own(task):
    result = compare(task, [learned(seed=k) for k in range(2)], single=[learned(1, 8), learned(1, 9)], **QUICK)
    assert result.table["meta_seed"].unique().tolist() == [0, 1]
    sine = result.table.query("variant == 'sine'")
    assert sine["loss"].nunique() == 6
    assert "single" in set(result.table["variant"])
    summary = result.summary()
    assert set(summary.loc["sine":, "meta_seeds"]) == {2}
    assert len(result.settings["learned"]) == 2


def test_one_learned_type_is_called_single_and_stands_without_a_mix(task):
    result = compare(task, learned(1), variants={"tanh": "tanh"}, forecast=False, **QUICK)
    assert result.table["variant"].unique().tolist() == ["sine", "single", "tanh"]
    assert result.reference == "sine"


def test_the_line_up_names_what_is_compared():
    assert list(line_up(learned(3), None)) == ["sine", "type 1", "type 2", "type 3", "mix", "tanh", "relu", "sine+tanh"]
    assert list(line_up(learned(2, base="tanh"), learned(1))) == [
        "tanh", "type 1", "type 2", "mix", "single", "relu", "sine+tanh"
    ]  # fmt: skip
    assert list(line_up(None)) == ["tanh", "relu", "sine+tanh"]


def test_networks_that_diverge_are_counted_and_not_dropped(task, tmp_path):
    training = Training(epochs=3, batch_size=20, learning_rate=1e30, schedule="constant")
    variants = {"sine": "sine", "identity": "identity"}
    wild = compare(replace(task, model="nn", training=training), variants=variants, replicates=3, tuned=False, progress=False)
    table = wild.table.set_index("variant")
    assert len(table) == 6
    assert table.loc["identity", "diverged"].all()
    assert wild.summary().loc["identity", "diverged"] == 3
    assert math.isinf(wild.summary().loc["identity", "median"])
    wild.save(tmp_path)  # with infinities and all


def test_a_rate_that_was_tried_and_diverged_can_be_written_down(task, tmp_path):
    wild = replace(task, model="nn")
    result = compare(wild, variants={"identity": "identity", "sine": "sine"}, learning_rates=(1e-2, 1e30), tuning_replicates=2,
                     forecast=False, **{**QUICK, "tuned": True})  # fmt: skip
    assert set(result.table["learning_rate"]) == {1e-2}
    result.save(tmp_path)
    tried = json.loads((tmp_path / "manifest.json").read_text())["settings"]["variants"]["identity (0)"]["tried"]
    assert tried["1e+30"] is None
    assert tried["0.01"] > 0


def test_a_network_that_stands_still_has_an_energy_error_that_can_be_compared(task):
    """With the base zero, a learned H is constant: energy is conserved to the last bit, and its logarithm is asked for."""
    result = compare(task, variants={"zero": "zero", "sine": "sine"}, **QUICK)
    assert (result.table["energy_error_euler"] > 0).all()
    assert result.summary("energy_error_euler").loc["zero", "median"] < 1e-15


@pytest.mark.parametrize("model", ["nn", "hnn"])
def test_a_forecast_of_many_is_that_of_each_network_alone(model):
    task = pendulum_task(model)
    pairs = task.pairs("training")
    networks = [task.network("sine", seed) for seed in range(3)]
    for network in networks:
        network.standardize(pairs.z, pairs.rate)
    merits = forecast_merits(networks, task.forecast)
    truth = task.forecast.truth
    for k, network in enumerate(networks):
        for name in task.forecast.methods:
            with torch.no_grad():
                alone = integrate(network.double(), truth.z[:, 0], truth.t, name)
            rolled = Orbit(alone.t, alone.z, coordinates=truth.coordinates)
            valid = metrics.valid_prediction_time(rolled, truth, horizon=task.forecast.horizon)
            assert float(merits[f"valid_time_{name}"][k]) == pytest.approx(np.median(valid.numpy()))
            error = metrics.energy_error(rolled, task.forecast.energy)
            assert float(merits[f"energy_error_{name}"][k]) == pytest.approx(np.median(error.numpy()), rel=1e-6)


def test_a_forecast_leaves_the_networks_as_they_are(task):
    network = task.network("sine")
    forecast_merits([network], task.forecast)
    assert all(p.dtype == torch.float32 and p.requires_grad for p in network.parameters())


def test_no_valid_time_is_longer_than_the_truth_is_known(result):
    assert (result.table.filter(like="valid_time").to_numpy() <= 1.5).all()


def test_curves_tell_quartiles_after_each_epoch_of_all_variants(result):
    curves = result.curves
    assert list(curves.columns) == ["meta_seed", "variant", "step", "seconds", "median", "low", "high"]
    assert (curves["low"] <= curves["median"]).all()
    assert (curves["median"] <= curves["high"]).all()
    steps = math.ceil(66 / 20)
    assert curves.query("variant == 'mix'")["step"].tolist() == [steps, 2 * steps]
    assert (curves.groupby("variant")["seconds"].diff().dropna() >= 0).all()


def test_every_measure_is_summarised_and_drawn(result):
    assert "replicate" not in result.measures
    for measure in result.measures:
        summary = result.summary(measure)
        assert len(summary) == 8
        assert math.isnan(summary.loc["mix", "difference"])
        assert result.scale(measure) == ("linear" if measure.startswith("valid_time") else "log")
    assert result.plot("loss").get_ylabel() or result.plot("loss").get_xlabel()
    for against in ("step", "seconds"):
        assert result.plot_curves(against).lines
    assert len(result.figure().axes) >= 7


def test_the_overview_is_the_medians_of_all_measures(result):
    overview = result.overview()
    wanted = result.table.groupby("variant", sort=False)["loss"].median()
    np.testing.assert_allclose(overview["test loss"], wanted[overview.index])
    assert list(overview.index) == list(result.table["variant"].unique())


def test_the_markdown_has_every_variant_and_says_how_it_came_about(result):
    text = result.to_markdown()
    assert text.startswith("# a pendulum's swing")
    for variant in result.table["variant"].unique():
        assert f"| {variant} |" in text
    assert "3 networks of each variant, 1 meta-seed, 2 epochs in batches of 20; the same learning rate for all" in text
    assert "nan" not in text
    assert text.count("\n## ") == len(result.measures)


def test_what_is_saved_is_read_back_equal(result, tmp_path):
    paths = result.save(tmp_path / "deep" / "folder")
    assert sorted(p.name for p in paths) == [
        "comparison.png", "curves.parquet", "manifest.json", "results.parquet", "summary.md"
    ]  # fmt: skip
    folder = paths[0].parent
    assert sorted(folder.iterdir()) == sorted(paths)  # and nothing beside
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "results.parquet"), result.table)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "curves.parquet"), result.curves)
    assert (folder / "summary.md").read_text() == result.to_markdown()
    assert (folder / "comparison.png").read_bytes().startswith(b"\x89PNG")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {"versions", "command", "settings", "seconds", "platform"} <= set(manifest)
    settings = manifest["settings"]
    assert settings["training"]["epochs"] == 2
    assert settings["variants"]["mix (0)"]["activation"] == {
        "mixture": [{"table": {"name": f"type {k}", "kind": "cubic", "low": -10, "high": 10, "points": 100}} for k in (1, 2)]
    }
    assert settings["learned"] == [{"seed": 0}]
    loaded = Comparison.load(folder)
    pd.testing.assert_frame_equal(loaded.table, result.table)
    assert loaded.to_markdown() == result.to_markdown()


def test_a_folder_without_a_comparison_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no comparison"):
        Comparison.load(tmp_path)


def test_a_single_replicate_is_a_comparison_too(task, tmp_path):
    result = compare(task, variants=TWO, **{**QUICK, "replicates": 1})
    assert math.isnan(result.summary().loc["tanh", "difference_low"])
    result.save(tmp_path)


def test_a_single_variant_is_summarised_without_tests(task, tmp_path):
    result = compare(task, variants={"sine": "sine"}, **QUICK)
    assert "p" not in result.summary()
    result.save(tmp_path)


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


@pytest.mark.parametrize("ask", [lambda r: r.summary("los"), lambda r: r.plot("mix"), lambda r: r.plot_curves("hours")])
def test_wrong_questions_to_a_result_are_answered_with_what_there_is(ask, result):
    with pytest.raises(InputError, match=r"there are|'step' or 'seconds'"):
        ask(result)


@pytest.fixture
def plain(monkeypatch):
    """Without the pictures, which take most of the time."""
    figure = plt.figure(figsize=(1, 1))
    plt.close(figure)
    monkeypatch.setattr(Comparison, "figure", lambda _: figure)


def same(one, other):
    """Whether all but the seconds of two comparisons is equal, to the last bit."""
    pd.testing.assert_frame_equal(one.table, other.table, check_exact=True)
    pd.testing.assert_frame_equal(one.curves.drop(columns="seconds"), other.curves.drop(columns="seconds"), check_exact=True)
    told = [json.loads(json.dumps(each.settings)) for each in (one, other)]
    for settings in told:
        for variant in settings["variants"].values():
            variant.pop("seconds")
    assert told[0] == told[1]


@pytest.mark.parametrize("tuned", [False, True])
def test_a_comparison_that_is_stopped_resumes_and_gives_the_same(tuned, task, tmp_path, monkeypatch):
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


def test_meta_seeds_that_are_shared_out_resume_too(task, tmp_path, monkeypatch, plain):
    several = [learned(seed=seed) for seed in (0, 1)]
    whole = compare_apart(task, several, workers=Workers(), **QUICK)
    same(compare_apart(task, several, workers=Workers(), folder=tmp_path, **QUICK), whole)
    second = sorted(tmp_path.glob("*.seal"))[0].with_suffix("")
    shutil.rmtree(second)
    calls = []
    monkeypatch.setattr(combine_module, "compare", lambda *args, **settings: calls.append(1) or compare(*args, **settings))
    same(compare_apart(task, several, workers=Workers(), folder=tmp_path, **QUICK), whole)
    assert calls == [1]


@pytest.mark.parametrize("moment", range(5))
@pytest.mark.parametrize("checked", [True, False])
def test_who_is_stopped_while_saving_over_an_older_result_leaves_no_mixture(checked, moment, task, tmp_path, plain):
    old = compare(task, variants={"sine": "sine"}, **QUICK)
    new = compare(task, variants=TWO, **QUICK)
    old.save(tmp_path)
    if not checked:  # as older versions wrote it
        manifest = json.loads((tmp_path / "manifest.json").read_text())
        (tmp_path / "manifest.json").write_text(json.dumps({k: v for k, v in manifest.items() if k != "sha256"}))
        assert len(Comparison.load(tmp_path).table) == 3
    moves, real = iter(range(100)), os.replace

    def stopped(*paths):
        if next(moves) == moment:
            raise KeyboardInterrupt
        real(*paths)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            new.save(tmp_path)
    try:
        same(Comparison.load(tmp_path), old)
        assert moment == 0
        assert checked
    except InputError:
        assert moment > 0 or not checked
    new.save(tmp_path)
    same(Comparison.load(tmp_path), new)


def test_tables_that_are_not_those_of_the_manifest_are_refused(result, tmp_path, plain):
    result.save(tmp_path)
    result.table.iloc[:-1].to_parquet(tmp_path / "results.parquet")
    with pytest.raises(InputError, match=r"results\.parquet does not belong to the manifest"):
        Comparison.load(tmp_path)
