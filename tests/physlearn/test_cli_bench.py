"""The command ``bench`` as its user has it."""

import json
from dataclasses import replace

import pytest

from physlearn.comparison.benchmarks import BENCHMARKS


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for name in ("spring", "pendulum"):
        monkeypatch.setitem(BENCHMARKS, name, replace(BENCHMARKS[name], steps=40))


def test_the_papers_numbers_stand_beside_ours_and_a_second_run_has_nothing_to_do(run, tmp_path):
    options = ["bench", "--tasks", "spring,pendulum", "--seeds", 1, "--quick", "--out", tmp_path]
    first = run(*options)
    assert first.code == 0, first.err
    assert "| spring | hnn, the paper's numbers | |" in first.out
    assert "| pendulum | hnn-separable | 1 |" in first.out
    rows = json.loads(run(*options, "--json").out)["result"]
    assert {row["benchmark"] for row in rows} == {"spring", "pendulum"}
    assert run(*options).out == first.out


def test_wrong_uses_are_answered_with_one_line(refused, tmp_path, monkeypatch):
    assert "no benchmark 'springs'" in refused("bench", "--tasks", "springs", "--out", tmp_path)
    monkeypatch.delenv("PHYSLEARN_DATA", raising=False)
    assert "set PHYSLEARN_DATA" in refused("bench", "--tasks", "real-pendulum", "--out", tmp_path)
