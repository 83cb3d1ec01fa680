"""The result of a comparison: its curves, summaries and pictures, and its files."""

import html
import json
import math
import os

import numpy as np
import pandas as pd
import pytest

from physlearn import compare
from physlearn.comparison import Comparison
from systems import InputError

QUICK = {"replicates": 3, "epochs": 2, "tuned": False, "progress": False}
TWO = {"sine": "sine", "tanh": "tanh"}


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
        "comparison.png", "curves.parquet", "manifest.json", "report.html", "results.parquet"
    ]  # fmt: skip
    folder = paths[0].parent
    assert sorted(folder.iterdir()) == sorted(paths)  # and nothing beside
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "results.parquet"), result.table)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "curves.parquet"), result.curves)
    assert html.escape(result.title) in (folder / "report.html").read_text()
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


@pytest.mark.parametrize("ask", [lambda r: r.summary("los"), lambda r: r.plot("mix"), lambda r: r.plot_curves("hours")])
def test_wrong_questions_to_a_result_are_answered_with_what_there_is(ask, result):
    with pytest.raises(InputError, match=r"there are|'step' or 'seconds'"):
        ask(result)


def test_tables_that_are_not_those_of_the_manifest_are_refused(result, tmp_path, plain):
    result.save(tmp_path)
    result.table.iloc[:-1].to_parquet(tmp_path / "results.parquet")
    with pytest.raises(InputError, match=r"results\.parquet does not belong to the manifest"):
        Comparison.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("sha256"), "needs checksums"),
        (lambda m: m["sha256"].pop("curves.parquet"), "needs checksums"),
        (lambda m: m["sha256"].pop("manifest"), "needs checksums"),
        (lambda m: m.update(seconds=1.0), "manifest was changed"),
        (lambda m: m["settings"].update(replicates=4), "manifest was changed"),
        (lambda m: m.update(format=3), "update physlearn"),
    ],
    ids=["no checksums", "no checksum of a table", "no checksum of itself", "seconds", "settings", "newer"],
)
def test_a_changed_manifest_is_refused(change, message, result, tmp_path):
    result.save(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    change(manifest)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=message):
        Comparison.load(tmp_path)


@pytest.mark.parametrize("moment", range(5))
@pytest.mark.parametrize("checked", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_who_is_stopped_while_saving_over_an_older_result_leaves_no_mixture(checked, moment, task, tmp_path, plain, same):
    old = compare(task, variants={"sine": "sine"}, **QUICK)
    new = compare(task, variants=TWO, **QUICK)
    old.save(tmp_path)
    if not checked:  # as older versions wrote it
        manifest = json.loads((tmp_path / "manifest.json").read_text())
        (tmp_path / "manifest.json").write_text(json.dumps({k: manifest[k] for k in manifest.keys() - {"sha256", "format"}}))
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
