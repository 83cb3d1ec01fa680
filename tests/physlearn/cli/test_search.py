"""`physlearn search`: its trials, and that it goes on where it was."""

import pandas as pd
import pytest

COMMAND = ["search", "van-der-pol", "sine", "tanh", "--set", "orbits=5", "--replicates", 1, "--epochs", 1]


def test_search_writes_its_trials_and_goes_on(run, tmp_path):
    first = run(*COMMAND, "--trials", 2, "--out", tmp_path, "--report", tmp_path / "page.html")
    assert first.code == 0, first.err
    page = (tmp_path / "page.html").read_text()
    assert page.count("<th>sine</th>") == 3  # the best trial, and both
    assert page.count("data:image/png;base64,") == 1
    assert "tanh" in first.out
    table = pd.read_parquet(tmp_path / "trials.parquet")
    assert run(*COMMAND, "--trials", 3, "--out", tmp_path).code == 0
    more = pd.read_parquet(tmp_path / "trials.parquet")
    assert (len(table), len(more)) == (4, 6)
    pd.testing.assert_frame_equal(more[more["trial"] < 2].reset_index(drop=True), table)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--trials", 0], "at least one variant, one trial"),
        (["--workers", 0], "workers must be a whole number"),
        (["--workers", 2, "--scheduler", "tcp://localhost:1"], "either 2 local processes or the scheduler"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(run, tmp_path, wrong, message):
    result = run(*COMMAND, "--out", tmp_path, *wrong)
    assert result.code == 2
    assert message in result.err
    assert len(result.err.strip().splitlines()) == 1
