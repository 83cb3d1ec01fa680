"""The command ``periodic-orbits`` as its user has it."""

import json

import pandas as pd
import pytest

from systems import Orbit


def test_an_orbit_is_found_from_a_random_state(run, tmp_path):
    result = run("periodic-orbits", "van-der-pol", "--out", tmp_path / "orbit.nc", "--plot", tmp_path / "orbit.png")
    assert result.code == 0, result.err
    assert "stable periodic orbit of period 8.4745354180" in result.out
    assert "-3.45533" in result.out
    assert Orbit.load(tmp_path / "orbit.nc").t[-1] == pytest.approx(8.4745354180)
    assert (tmp_path / "orbit.png").read_bytes().startswith(b"\x89PNG")


def test_an_unstable_orbit_is_found_near_a_state(run):
    result = run("periodic-orbits", "lorenz", "--at=-13.7,-19.5,27", "--json")
    answer = json.loads(result.out)
    assert answer["written"] == []
    assert answer["result"]["period"] == pytest.approx(1.558652210716)
    assert not answer["result"]["stable"]
    assert len(answer["result"]["multipliers"]) == 3


def test_a_family_is_followed(run, tmp_path):
    files = ["--out", tmp_path / "family.csv", "--plot", tmp_path / "family.png"]
    at = ["--at", "0,0.2,0,0.3", "--continue", "energy=0.15:0.163", "--step", 0.2]
    result = run("periodic-orbits", "henon-heiles", *at, *files)
    assert result.code == 0, result.err
    assert "energy reached 0.163" in result.out
    table = pd.read_csv(tmp_path / "family.csv", keep_default_na=False)
    branch = table[table["bifurcation"] == "branch"]
    assert float(branch["energy"].iloc[0]) == pytest.approx(0.969309 / 6, abs=1e-6)
    assert (tmp_path / "family.png").read_bytes().startswith(b"\x89PNG")


def test_a_family_in_a_parameter_is_answered_as_json(run):
    result = run("periodic-orbits", "van-der-pol", "--at", "2,0", "--continue", "mu=1:1.05", "--json")
    answer = json.loads(result.out)["result"]
    assert answer["parameter"] == "mu"
    assert answer["ended"] == "mu reached 1.05"
    assert answer["rows"][0]["period"] == pytest.approx(6.66328686, rel=1e-8)
    assert answer["rows"][0]["multipliers"][0] == pytest.approx([1.0, 0.0], abs=1e-9)


def test_wrong_uses_are_answered_with_one_line(refused, tmp_path):
    command = ["periodic-orbits", "van-der-pol"]
    assert "--at takes 2 finite numbers, x, v" in refused(*command, "--at", "1,2,3")
    assert "--at takes numbers" in refused(*command, "--at", "one,two")
    assert "--continue takes a parameter and its range" in refused(*command, "--continue", "mu=1")
    assert "no parameter" in refused(*command, "--continue", "nu=1:2")
    assert "period must be a positive number" in refused(*command, "--at", "2,0", "--period=-1")
    assert "fix must be" in refused(*command, "--at", "2,0", "--fix", "phase")
    assert "needs a flow that conserves an energy" in refused(*command, "--at", "2,0", "--continue", "energy=1:2")
    assert "does not sample by energy" in refused(*command, "--energy", 1)
    assert "does not come back near" in refused(*command, "--at", "0,0")
    assert "must end with .png" in refused(*command, "--plot", tmp_path / "orbit.gif")
    assert "step must lie between 0 and 1" in refused(*command, "--at", "2,0", "--continue", "mu=1:2", "--step", 0)
    assert not list(tmp_path.iterdir())
