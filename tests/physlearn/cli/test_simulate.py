"""`physlearn simulate`: orbit, picture and parameters."""

import json

import torch

import systems


def test_simulate_writes_an_orbit_that_loads_and_a_picture(run, tmp_path):
    orbit, picture = tmp_path / "deep" / "orbit.nc", tmp_path / "orbit.png"
    result = run("simulate", "henon-heiles", "--energy", 0.125, "--time", 20, "--out", orbit, "--plot", picture, "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["result"]["energy_error"] < 1e-9
    loaded = systems.Orbit.load(orbit)
    assert loaded.shape == (1, 201)
    energy = systems.get("henon-heiles").hamiltonian(loaded.z)
    assert torch.allclose(energy, torch.tensor(0.125, dtype=torch.float64))
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_simulate_takes_parameters_of_the_system(run, tmp_path):
    run("simulate", "van-der-pol", "--set", "mu=1", "--time", 5, "--out", tmp_path / "orbit.nc")
    assert systems.Orbit.load(tmp_path / "orbit.nc").provenance["parameters"] == {"mu": 1.0}
