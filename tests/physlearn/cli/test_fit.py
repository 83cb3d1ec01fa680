"""The command ``fit`` as its user has it."""

import json

import numpy as np
import pandas as pd
import pytest

import systems


@pytest.fixture
def table(tmp_path):
    """Positions of a van der Pol oscillator with mu = 1.5, with noise of 0.05."""
    t = np.linspace(0, 20, 201)
    x = systems.get("van-der-pol", mu=1.5).orbit([1.0, 0.0], t).z[:, 0].numpy()
    path = tmp_path / "x.csv"
    pd.DataFrame({"t": t, "x": x + 0.05 * np.random.default_rng(0).normal(size=201)}).to_csv(path, index=False)
    return path


def test_a_parameter_is_fitted_and_written(run, table, tmp_path):
    out, plot = tmp_path / "mu.csv", tmp_path / "fit.png"
    result = run("fit", "van-der-pol", "--data", table, "--free", "mu", "--out", out, "--plot", plot)
    assert result.code == 0, result.err
    assert "noise: x 0.048" in result.out
    (row,) = pd.read_csv(out).to_dict("records")
    assert row["parameter"] == "mu"
    assert abs(row["value"] - 1.5) < 4 * row["error"]
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_json_has_the_table(run, table):
    answer = json.loads(run("fit", "van-der-pol", "--data", table, "--set", "mu=1", "--json").out)["result"]
    assert answer["converged"]
    assert answer["parameters"][0]["low"] < 1.5 < answer["parameters"][0]["high"]


def test_the_column_of_times_is_found_by_its_usual_names(run, table, tmp_path):
    pd.read_csv(table).rename(columns={"t": "time [s]", "x": "x [m]"}).to_csv(tmp_path / "named.csv", index=False)
    answers = [
        run("fit", "van-der-pol", "--data", path, "--method", "derivative", "--json").out
        for path in (table, tmp_path / "named.csv")
    ]
    one, other = (json.loads(answer)["result"]["parameters"] for answer in answers)
    assert one == other


def test_wrong_arguments_are_one_line(run, table, tmp_path):
    for arguments, told in (
        (("--data", table, "--free", "nu"), "'nu' is not a parameter"),
        (("--data", table, "--coordinates", "y"), "the coordinates x, v"),
        (("--data", table, "--time", "s"), "'s'"),
        (("--data", tmp_path / "none.csv"), "does not exist"),
        (("--data", table, "--method", "magic"), "shooting, derivative, weak"),
    ):
        result = run("fit", "van-der-pol", *arguments)
        assert result.code == 2, arguments
        assert told in result.err
        assert len(result.err.strip().splitlines()) == 1
