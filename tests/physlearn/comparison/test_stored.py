"""A comparison that is loaded is one that was saved, or it is refused in one sentence."""

import json
import random
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from physlearn.comparison import Comparison, stored
from systems import InputError

VARIANTS = ("mix", "sine")


def parts(replicates=4):
    keys = [(0, replicate, variant) for variant in VARIANTS for replicate in range(replicates)]
    table = pd.DataFrame(keys, columns=["meta_seed", "replicate", "variant"])
    table["loss"] = table["validation_loss"] = np.linspace(1, 2, len(table))
    table["diverged"] = False
    table["learning_rate"] = 0.01
    curves = pd.DataFrame({"meta_seed": 0, "variant": np.repeat(VARIANTS, 3), "step": [1, 2, 3] * 2, "seconds": 0.5})
    curves["median"] = 1.0
    training = {"epochs": 1, "batch_size": 10}
    settings = {"task": "van-der-pol", "training": training, "replicates": replicates, "rates": None, "seed": 0}
    manifest = {"title": "A title", "settings": settings, "reference": "mix", "seconds": 1.5}
    return manifest, table, curves


def write(folder, manifest, table, curves):
    (folder / "manifest.json").write_text(json.dumps(manifest))
    table.to_parquet(folder / "results.parquet")
    curves.to_parquet(folder / "curves.parquet")


@pytest.fixture
def whole(tmp_path):
    write(tmp_path, *parts())
    return tmp_path


def test_a_whole_one_is_loaded(whole):
    found = Comparison.load(whole)
    _, table, curves = parts()
    pd.testing.assert_frame_equal(found.table, table)
    pd.testing.assert_frame_equal(found.curves, curves)
    assert (found.task, found.title, found.reference, found.seconds) == ("van-der-pol", "A title", "mix", 1.5)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "\x1b[2J"),
        ("title", 3),
        ("reference", "tanh"),
        ("reference", None),
        ("seconds", "long"),
        ("seconds", float("nan")),
        ("settings", []),
        ("settings.task", "../../etc"),
        ("settings.replicates", -1),
        ("settings.rates", "abc"),
        ("settings.training", {"epochs": "x", "batch_size": 1}),
        ("settings.training", {}),
    ],
)
def test_a_forged_manifest_is_refused(key, value, whole):
    manifest, _, _ = parts()
    *outer, last = key.split(".")
    (manifest[outer[0]] if outer else manifest)[last] = value
    (whole / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="holds no comparison"):
        Comparison.load(whole)


@pytest.mark.parametrize("content", ["", "[]", "3", "{", "[" * 9999, "{}", '{"settings": 3}'])
def test_a_manifest_of_anything_else_is_refused(content, whole):
    (whole / "manifest.json").write_text(content)
    with pytest.raises(InputError, match="holds no comparison"):
        Comparison.load(whole)


@pytest.mark.parametrize("file", ["results", "curves"])
@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop(columns="variant"),
        lambda frame: frame.drop(columns="meta_seed"),
        lambda frame: frame.assign(variant="\x1b[2J"),
        lambda frame: frame.assign(variant=7),
        lambda frame: frame.assign(meta_seed=0.5),
        lambda frame: frame.assign(more="text"),
        lambda frame: frame.assign(more=[[1.0]] * len(frame)),
        lambda frame: frame.iloc[:0],
        lambda frame: frame.rename(columns={"meta_seed": "\x1b[2J"}),
        lambda frame: frame.assign(diverged="no"),
    ],
)
def test_a_forged_table_is_refused(file, change, whole):
    frames = dict(zip(("results", "curves"), parts()[1:], strict=True))
    change(frames[file]).to_parquet(whole / f"{file}.parquet")
    with pytest.raises(InputError, match="holds no comparison"):
        Comparison.load(whole)


def test_curves_of_another_comparison_are_refused(whole):
    parts()[2].assign(variant="tanh").to_parquet(whole / "curves.parquet")
    with pytest.raises(InputError, match="'tanh', which is not one of its variants"):
        Comparison.load(whole)


def test_a_table_that_claims_too_many_cells_is_refused_before_it_is_read(whole, monkeypatch):
    monkeypatch.setattr(stored, "LARGEST", 50)
    with pytest.raises(InputError, match="has 56 cells"):
        Comparison.load(whole)


@pytest.mark.parametrize("file", ["manifest.json", "results.parquet", "curves.parquet"])
@pytest.mark.parametrize("seed", range(20))
def test_a_mutated_file_is_loaded_or_refused_in_a_sentence(file, seed, whole):
    chance = random.Random(seed)
    content = bytearray((whole / file).read_bytes())
    for _ in range(chance.choice([1, 4, 16])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    (whole / file).write_bytes(content)
    with suppress(InputError):
        Comparison.load(whole)
