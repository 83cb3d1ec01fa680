"""The command ``chaos`` as its user has it."""

import json

import pandas as pd
import pytest
import torch

import systems
from physlearn import LearnedActivations
from physlearn.chaos import megno
from physlearn.forecasting import long_run

QUICK = ["--orbits", 2, "--time", 60, "--training-orbits", 12, "--epochs", 3, "--hidden", 8]


def test_sections_of_truth_and_models_are_drawn_and_told_apart(run, tmp_path):
    result = run(
        "chaos", "henon-heiles", "--energy", 0.125, "--models", "nn,hnn-mechanical", "--out", tmp_path, "--keep-all", *QUICK
    )
    assert result.code == 0, result.err
    assert "henon-heiles: 2 orbits of energy 0.125 over t = 60" in result.out
    assert "class_agreement" in result.out
    assert "hellinger: of the points where chaotic orbits cross the section" in result.out
    assert (tmp_path / "section.png").read_bytes().startswith(b"\x89PNG")
    orbits = pd.read_parquet(tmp_path / "orbits.parquet")
    assert list(orbits["flow"]) == ["truth"] * 2 + ["nn"] * 2 + ["hnn-mechanical"] * 2
    sections = pd.read_parquet(tmp_path / "sections.parquet")
    truth = sections[sections["flow"] == "truth"]
    assert truth["x"].abs().max() < 1e-9
    z = torch.tensor(truth[["x", "y", "p_x", "p_y"]].to_numpy())
    assert (systems.get("henon-heiles").hamiltonian(z) - 0.125).abs().max() < 1e-5


@pytest.mark.slow
def test_learned_activations_join_as_models_of_their_own(run, tmp_path):
    x = torch.linspace(-10, 10, 100)
    LearnedActivations(torch.stack([x.sin(), x.tanh()]), base="sine", task="by hand").save(tmp_path / "learned.safetensors")
    options = ["--models", "hnn-mechanical", "--activations", tmp_path / "learned.safetensors"]
    result = run("chaos", "henon-heiles", "--energy", 0.1, "--out", tmp_path, "--json", *options, *QUICK)
    flows = [row["flow"] for row in json.loads(result.out)["result"]["rows"]]
    assert flows == ["truth", "hnn-mechanical", "hnn-mechanical, learned mix"]


def test_a_driven_system_is_seen_once_a_period(run, tmp_path):
    result = run(
        "chaos",
        "forced-duffing",
        "--models",
        "none",
        "--orbits",
        2,
        "--time",
        40,
        "--dt",
        0.1,
        "--keep-all",
        "--out",
        tmp_path,
    )
    assert result.code == 0, result.err
    sections = pd.read_parquet(tmp_path / "sections.parquet")
    assert sections["sin"].abs().max() < 1e-9
    assert len(sections) == 2 * int(80 / (2 * torch.pi / 1.2))


def test_further_indicators_are_in_the_tables(run, tmp_path):
    options = ["--models", "none", "--orbits", 3, "--time", 60, "--indicators", "megno,fli,frequency-drift", "--json"]
    result = run("chaos", "henon-heiles", "--energy", 0.1, "--out", tmp_path, "--keep-all", *options)
    (row,) = json.loads(result.out)["result"]["rows"]
    orbits = pd.read_parquet(tmp_path / "orbits.parquet")
    system = systems.get("henon-heiles")
    z0 = long_run.initial_states(system, 3, 0.1, system.surface, 1, 0)
    assert orbits["megno"].tolist() == megno(system, z0, 60, dt=0.1).tolist()
    for name in ("megno", "fli", "frequency-drift"):
        assert row[name] == pytest.approx(orbits[name].median())


def test_wrong_uses_are_answered_with_one_line(refused, tmp_path):
    out = ["--out", tmp_path / "new"]
    assert "escape energy" in refused("chaos", "henon-heiles", "--energy", 0.2, *out)
    assert "no coordinate 'u'" in refused("chaos", "lorenz", "--surface", "u=1", "--models", "none", *out)
    assert "--surface takes a coordinate and a number" in refused("chaos", "lorenz", "--surface", "z", *out)
    assert "needs positions and momenta" in refused("chaos", "lorenz", "--models", "hnn", *out)
    assert "no model 'hmm'" in refused("chaos", "henon-heiles", "--models", "hmm", *out)
    assert "Hamiltonian system with two degrees of freedom" in refused("chaos", "lorenz", "--energy", 1, *out)
    assert "no indicator 'sali'" in refused("chaos", "henon-heiles", "--indicators", "sali", "--models", "none", *out)
    assert "direction must be" in refused("chaos", "henon-heiles", "--direction", 2, "--models", "none", *out)
    assert "time must be a positive number" in refused("chaos", "henon-heiles", "--time", -1, "--models", "none", *out)
    assert "at least 1" in refused("chaos", "henon-heiles", "--orbits", 0, *out)
