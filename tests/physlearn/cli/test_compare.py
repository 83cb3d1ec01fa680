"""`physlearn compare`: output, files and exit code."""

import json

import pandas as pd
import pytest
import torch

from physlearn.activations.learned import LearnedActivations

COMPARE = ["compare", "van-der-pol", "--set", "orbits=5", "--replicates", 2, "--epochs", 1, "--untuned", "--no-forecasts"]


def given(path, types=2, seed=0, base="sine"):
    """Activations that were learned elsewhere."""
    x = torch.linspace(-10, 10, 100)
    bends = 0.3 * torch.randn(types, 1, generator=torch.Generator().manual_seed(seed))
    LearnedActivations(x.sin() + bends * x.tanh(), base=base, task="by hand", settings={"seed": seed}).save(path)
    return path


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_compare_finds_what_was_learned_here_and_the_control_beside_it(run, here):
    given(here / "van-der-pol.safetensors")
    given(here / "van-der-pol-single.safetensors", types=1)
    result = run(*COMPARE)
    assert result.code == 0, result.err
    folder = here / "van-der-pol-comparison"
    assert names(folder) == [
        "comparison.png", "curves.parquet", "manifest.json", "panels.png", "report.html", "results.parquet"
    ]  # fmt: skip
    table = pd.read_parquet(folder / "results.parquet")
    assert table["variant"].unique().tolist() == ["sine", "type 1", "type 2", "mix", "single", "tanh", "relu", "sine+tanh"]
    assert len(table) == 2 * 8
    assert all(variant in result.out for variant in table["variant"])
    assert (folder / "report.html").read_text().count("data:image/png;base64,") == 2
    assert "panels.png" in result.out
    settings = json.loads((folder / "manifest.json").read_text())["settings"]
    assert settings["training"]["epochs"] == 1
    assert len(settings["single"]) == 1


def test_without_a_control_there_is_a_comparison_without_it(run, here, plain):
    given(here / "van-der-pol.safetensors")
    assert run(*COMPARE).code == 0
    assert "single" not in set(pd.read_parquet(here / "van-der-pol-comparison" / "results.parquet")["variant"])


def test_several_files_are_meta_seeds_with_the_controls_beside_them(run, here, plain):
    files = []
    for k in range(2):
        files += ["--activations", given(here / f"run{k}.safetensors", seed=k)]
        given(here / f"run{k}-single.safetensors", types=1, seed=9 + k)
    result = run(*COMPARE, *files, "--out", "both", "--json")
    assert result.code == 0, result.err
    answer = json.loads(result.out)
    assert set(answer["result"]) == {"loss", "validation_loss"}
    assert answer["result"]["loss"]["single"]["n"] == 4
    assert answer["result"]["loss"]["mix"]["difference"] is None  # no NaN in JSON
    assert {"both/results.parquet", "both/panels.png"} <= set(answer["written"])
    assert pd.read_parquet(here / "both" / "results.parquet")["meta_seed"].unique().tolist() == [0, 1]


@pytest.mark.slow  # 5 s
def test_digits_are_learned_and_compared_as_orbits_are_and_by_their_accuracy(run, here):
    few = ["mnist1d", "--set", "samples=50"]
    learned = run("learn", *few, "--variant", "first-order", "--outer-steps", 3, "--inner-steps", 3, "--networks", 2)
    assert learned.code == 0, learned.err
    stems = ("mnist1d", "mnist1d-single")
    assert names(here) == sorted(f"{stem}.{end}" for stem in stems for end in ("png", "safetensors"))
    compared = run("compare", *few, "--replicates", 2, "--epochs", 1, "--untuned", "--json")
    assert compared.code == 0, compared.err
    answer = json.loads(compared.out)
    assert set(answer["result"]) == {"loss", "validation_loss", "accuracy"}
    assert all(0 <= row["median"] <= 1 for row in answer["result"]["accuracy"].values())
    assert "mnist1d-comparison/panels.png" in answer["written"]
    assert (here / "mnist1d-comparison" / "panels.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_compare_rolls_the_networks_out_unless_it_is_told_not_to(run, here, plain):
    given(here / "henon-heiles-nn.safetensors", types=1)
    rolled = ["henon-heiles-nn" if argument == "van-der-pol" else argument for argument in COMPARE]
    rolled.remove("--no-forecasts")
    result = run(*rolled, "--json")
    assert result.code == 0, result.err
    assert {"valid_time_euler", "energy_error_rk4"} <= set(json.loads(result.out)["result"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ([], "run `physlearn learn van-der-pol` first"),
        (["--activations", "missing.safetensors"], "missing.safetensors"),
        (["--activations", "file"], "file is not a complete safetensors file"),
        (["--activations", "folder"], "folder"),
        (["--activations", "given", "--single", "missing.safetensors"], "missing.safetensors"),
        (["--activations", "given", "--single", "given"], "one learned type, not 2"),
        (["--activations", "given", "--single", "one", "--single", "one"], "1 meta-seeds need as many single types"),
        (["--activations", "given", "--activations", "one"], "same base and as many types"),
        (["--activations", "given", "--replicates", "0"], "replicates must be at least 1"),
        (["--activations", "given", "--seed", 2**70], "below 2^32"),
        (["--activations", "given", "--epochs", "-1"], "epochs must be positive"),
        (["--activations", "given", "--data", "file"], "no setting 'data'"),
        (["--activations", "given", "--out", "file/below"], "cannot write"),
        (["--activations", "given", "--set", "mu=x"], "mu=x"),
        (["--activations", "given", "--device", "abacus"], "no device"),
    ],
    ids=lambda value: " ".join(map(str, value[-4:])) if isinstance(value, list) else "",
)
def test_a_wrong_use_of_compare_gets_one_line_and_leaves_nothing(wrong, sentence, refused, here):
    (here / "file").write_text("in the way\n")
    (here / "folder").mkdir()
    given(here / "given")
    given(here / "one", types=1)
    assert sentence in refused(*COMPARE, *wrong)
    assert names(here) == ["file", "given", "one"]


def test_a_file_of_another_kind_is_told_from_learned_activations(run, refused, here):
    quick = ["--orbits", 6, "--test-orbits", 2, "--time", 1, "--epochs", 1, "--hidden", 4, "--model", "nn"]
    assert run("forecast", "van-der-pol", "--out", here / "out", "--method", "euler", *quick).code == 0
    line = refused(*COMPARE, "--activations", here / "out" / "model.safetensors")
    assert "of the kind 'forecaster', but the kind 'learned activations' is needed" in line


def test_a_file_that_was_damaged_is_noticed(refused, here):
    path = given(here / "van-der-pol.safetensors")
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    assert "checksum" in refused(*COMPARE)
    path.write_bytes(content[:200])
    assert "truncated" in refused(*COMPARE)
