"""Outputs with odd names are written as they are; those that cannot be written leave everything as it was.

Each test is a row of the table of docs/security.md, by the same name.
"""

from pathlib import Path

import pytest

from systems import Orbit


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("out", ["with space", "with\nline", "ümlaut", "-dash", "a'b\"c", "$(touch executed)"])
def test_a_path_with_odd_characters(out, run, here):
    answer = run("simulate", "van-der-pol", "--orbits", "2", "--time", "1", "--out", here / f"{out}.nc")
    assert answer.code == 0, answer.err
    assert Orbit.load(here / f"{out}.nc").z.shape[0] == 2
    assert sorted(path.name for path in here.iterdir()) == [f"{out}.nc"]


@pytest.mark.parametrize("out", ["file/orbit.nc", "."])
def test_a_path_that_cannot_be(out, here, run):
    Path("file").write_text("kept")
    answer = run("simulate", "van-der-pol", "--time", "1", "--out", out)
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    assert [path.name for path in here.iterdir()] == ["file"]
    assert Path("file").read_text() == "kept"
