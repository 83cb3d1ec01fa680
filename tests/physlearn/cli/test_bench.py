"""The command ``bench`` as its user has it."""

import json
from dataclasses import replace

import pytest

from physlearn.studies.hamiltonian_networks.benchmarks import BENCHMARKS


@pytest.fixture(autouse=True)
def short(monkeypatch):
    for name in ("spring", "pendulum"):
        monkeypatch.setitem(BENCHMARKS, name, replace(BENCHMARKS[name], steps=40))


@pytest.mark.slow  # 5 s
def test_the_papers_numbers_stand_beside_ours_and_a_second_run_has_nothing_to_do(run, tmp_path):
    options = ["bench", "--tasks", "spring,pendulum", "--seeds", 1, "--quick", "--out", tmp_path]
    first = run(*options)
    assert first.code == 0, first.err
    assert "| spring | hnn, the paper's numbers | |" in first.out
    assert "| pendulum | hnn-separable | 1 |" in first.out
    rows = json.loads(run(*options, "--json").out)["result"]
    assert {row["benchmark"] for row in rows} == {"spring", "pendulum"}
    page = tmp_path / "page.html"
    assert run(*options, "--report", page).out == first.out.rstrip() + f", {page}\n"
    text = page.read_text()
    assert "<h2>spring</h2>" in text
    assert text.count("<th>hnn, the paper's numbers</th>") == 2


def test_wrong_uses_are_answered_with_one_line(refused, tmp_path, monkeypatch):
    assert "no benchmark 'springs'" in refused("bench", "--tasks", "springs", "--out", tmp_path)
    monkeypatch.delenv("PHYSLEARN_DATA", raising=False)
    assert "set PHYSLEARN_DATA" in refused("bench", "--tasks", "real-pendulum", "--out", tmp_path)


@pytest.mark.slow
def test_speed_is_measured_side_by_side_and_tells_of_what(run, tmp_path):
    answer = run("bench", "--speed", "--quick", "--out", tmp_path, "--json")
    assert answer.code == 0, answer.err
    rows = json.loads(answer.out)["result"]
    beside = {"adaptive orbits", "fixed steps", "chaos indicators", "roll-outs", "training steps"}
    assert {row["what"] for row in rows} == {"training", "evolution", "meta-gradient", "orbits"} | beside
    missing = [row["how"] for row in rows if row["throughput"] is None]
    assert set(missing) <= {"diffrax", "gala", "heyoka", "jax", "pynamicalsys"}
    assert all(row["throughput"] > 0 for row in rows if row["how"] not in missing)
    assert all(row["device"] == "cpu" for row in rows)
    assert all(row["error"] < 1e-9 for row in rows if row["what"] == "roll-outs" and row["error"] is not None)
    ours = [row for row in rows if row["how"] == "all at once" and row["what"] == "training"]
    alone = {row["case"]: row["throughput"] for row in rows if row["how"] == "one by one"}
    assert all(row["ratio"] == pytest.approx(row["throughput"] / alone[row["case"]]) for row in ours)
    text = (tmp_path / "speed.md").read_text()
    assert "| hnn, mix of two tables, one by one | 1 |" in text
    assert "| hnn, mix of two tables | 10 |" in text
    again = run("bench", "--speed", "--quick", "--out", tmp_path, "--json")
    assert json.loads(again.out)["result"] == rows  # read, not measured again


def test_speed_asks_for_a_device_that_is_there(refused, tmp_path):
    assert "there is no device 'cuda:77' here" in refused("bench", "--speed", "--device", "cuda:77", "--out", tmp_path)
