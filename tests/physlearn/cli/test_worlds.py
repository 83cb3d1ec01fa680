"""The commands ``bifurcations``, ``basins`` and ``escapes`` as their user has them."""

import json

import numpy as np
import pandas as pd
import pytest

import systems

PNG = b"\x89PNG"


def test_the_bifurcations_of_a_map_are_written_drawn_and_counted(run, here):
    result = run("bifurcations", "logistic", "--parameter", "r=2.9:3.5:3", "--plot", "b.png", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert told["written"] == ["bifurcations.csv", "b.png"]
    assert [row["period"] for row in told["result"]["rows"]] == [1, 2, 4]  # r = 2.9, 3.2 and 3.5
    table = pd.read_csv("bifurcations.csv")
    assert list(table) == ["r", "orbit", "t", "x"]
    fixed = table[table["r"] == 2.9]["x"]
    assert fixed.to_numpy() == pytest.approx(1 - 1 / 2.9)
    assert (here / "b.png").read_bytes().startswith(PNG)


def test_a_flow_is_recorded_where_it_is_asked_for(run, here):
    options = ["--parameter", "rho=20:28:2", "--at", "z=19", "--time", 5, "--transient", 5, "--orbits", 2, "--coordinate", "y"]
    result = run("bifurcations", "lorenz", *options, "--out", "points.parquet")
    assert result.code == 0, result.err
    assert "2 values of rho" in result.out
    assert list(pd.read_parquet("points.parquet")) == ["rho", "orbit", "t", "y"]


def test_the_basins_of_two_wells_are_halves(run, here):
    options = ["--set", "gamma=0", "--set", "delta=0.5", "--grid", "x=-2:2:10", "--grid", "v=-2:2:10", "--plot", "b.png"]
    result = run("basins", "forced-duffing", *options, "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)["result"]
    assert [row["fraction"] for row in told["rows"]] == [0.5, 0.5]
    assert [row["x"] for row in told["rows"]] == pytest.approx([1, -1], abs=1e-3)
    assert len(pd.read_csv("basins.csv")) == 100
    assert (here / "b.png").read_bytes().startswith(PNG)


def test_other_coordinates_of_a_grid_are_fixed(run, here):
    result = run("basins", "henon", "--grid", "x=-0.2:0.2:4", "--fixed", "y=0.1", "--time", 200)
    assert result.code == 0, result.err
    table = pd.read_csv("basins.csv")
    assert set(table["y"]) == {0.1}
    assert set(table["attractor"]) == {0}
    assert "escaped: 0" in result.out


def test_escapes_are_counted_for_each_exit(run, here):
    options = ["--energy", 0.25, "--orbits", 40, "--time", 60]
    result = run("escapes", "henon-heiles", *options, "--section", "--plot", "e.png")
    assert result.code == 0, result.err
    table = pd.read_csv("escapes.csv")
    assert len(table) == 40
    assert (table["x"] == 0).all()
    z0 = table[["x", "y", "p_x", "p_y"]].to_numpy()
    assert systems.get("henon-heiles").hamiltonian(z0).numpy() == pytest.approx(np.full(40, 0.25))
    assert (here / "e.png").read_bytes().startswith(PNG)
    told = json.loads(run("escapes", "henon-heiles", *options, "--json").out)["result"]
    assert [row["exit"] for row in told["rows"]] == ["top", "left", "right", "none"]
    assert sum(row["orbits"] for row in told["rows"]) == 40


def test_wrong_uses_are_answered_with_one_line(refused, here):
    assert "--parameter takes a name, a range and a number" in refused("bifurcations", "logistic", "--parameter", "r=2")
    assert "a higher one" in refused("bifurcations", "logistic", "--parameter", "r=3:2:5")
    assert "has no parameter 'q'" in refused("bifurcations", "logistic", "--parameter", "q=2:3:4")
    assert "no system or map 'foo'" in refused("bifurcations", "foo", "--parameter", "q=2:3:4")
    assert "--at takes a coordinate" in refused("bifurcations", "lorenz", "--parameter", "rho=1:2:3", "--at", "y")
    assert "no coordinate 'w'" in refused("basins", "henon", "--grid", "w=0:1:4")
    assert "give --grid twice" in refused("basins", "henon", "--grid", "x=0:1:4", "--plot", "a.png")
    assert "--fixed takes a name" in refused("basins", "henon", "--grid", "x=0:1:4", "--fixed", "y")
    assert "must end with .csv" in refused("basins", "henon", "--grid", "x=0:1:4", "--out", "a.txt")
    assert "number of iterations" in refused("basins", "henon", "--grid", "x=0:1:4", "--time", 10.5)
    assert "lorenz declares no exits" in refused("escapes", "lorenz", "--energy", 1)
    assert "above 0" in refused("escapes", "henon-heiles", "--energy", -1)
    assert "too far above the escape energy" in refused("escapes", "henon-heiles", "--energy", 1e9)
    assert not list(here.iterdir())
