"""The command line as its user has it: output, files and exit code."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import systems
from physlearn import Forecaster, integrators, models, tasks

QUICK = ["--orbits", "12", "--test-orbits", "3", "--time", "3", "--epochs", "3", "--hidden", "8"]


def test_the_installed_command_answers_a_wrong_use_with_one_line_and_exit_code_2(tmp_path):
    command = [Path(sys.executable).with_name("physlearn"), "simulate", "henon-hieles", "--out", tmp_path / "orbit.nc"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "henon-heiles" in result.stderr


def test_no_arguments_are_answered_with_help(run):
    result = run()
    assert result.code == 0
    assert "forecast" in result.out
    assert len(result.out.splitlines()) > 5


def test_systems_lists_names_coordinates_and_parameters(run):
    text = run("systems").out
    assert "henon-heiles" in text
    assert "(x, y, p_x, p_y)" in text
    assert "mu=2.7" in text
    rows = json.loads(run("systems", "--json").out)
    assert [row["name"] for row in rows] == systems.names()


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


def test_forecast_leaves_everything_that_its_reader_needs(run, tmp_path):
    result = run("forecast", "henon-heiles", "--model", "hnn", "--out", tmp_path, *QUICK)
    assert result.code == 0, result.err
    assert "hnn + gauss-legendre-4" in result.out
    rows = json.loads((tmp_path / "metrics.json").read_text())["rows"]
    assert [row["forecast"] for row in rows] == ["truth", "hnn + euler", "hnn + gauss-legendre-4"]
    assert all({"derivative_loss", "valid_time_median", "energy_error_median"} <= set(row) for row in rows)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert {"versions", "settings", "seconds", "command"} <= set(manifest)
    assert manifest["settings"]["seed"] == 0
    assert manifest["settings"]["training"]["hnn"]["epochs"] == 3
    truth = systems.Orbit.load(tmp_path / "truth.nc")
    forecast = systems.Orbit.load(tmp_path / "hnn_gauss-legendre-4.nc")
    assert torch.equal(truth.z[:, 0], forecast.z[:, 0])
    again = Forecaster.load(tmp_path / "hnn.safetensors").forecast(truth.z[:, 0], truth.t)
    assert torch.equal(again.z, forecast.z)
    assert (tmp_path / "forecast.png").read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".*"))


def test_the_same_seed_gives_the_same_figures_and_another_does_not(run, tmp_path):
    def figures(seed):
        arguments = ["forecast", "van-der-pol", "--model", "nn", "--integrator", "rk4", "--seed", seed, "--json", *QUICK]
        return json.loads(run(*arguments, "--out", tmp_path / str(seed)).out)["result"]["rows"]

    assert figures(0) == figures(0)
    assert figures(0) != figures(1)


@pytest.mark.parametrize(
    ("columns", "readings"), [("t,theta", ["derived"]), ("t,theta,omega", ["file", "derived"])], ids=["angle alone", "rates"]
)
def test_a_recording_is_forecast_with_its_own_rates_if_it_has_any_and_with_derived_ones(run, tmp_path, columns, readings):
    t = torch.arange(900, dtype=torch.float64) / 30
    table = torch.stack([t, 0.1 * torch.cos(3.1 * t), -0.31 * torch.sin(3.1 * t)], -1)[:, : columns.count(",") + 1]
    rows = "\n".join(",".join(f"{x:.7f}" for x in row) for row in table.tolist())
    (tmp_path / "angles.csv").write_text(f"{columns}\n{rows}\n")
    arguments = ["--data", tmp_path / "angles.csv", "--model", "linear", "--out", tmp_path / "out", "--json"]
    result = run("forecast", "pendulum-clock", *arguments)
    assert result.code == 0, result.err
    assert list(json.loads(result.out)["result"]) == readings
    assert sorted(path.name for path in (tmp_path / "out").glob("*metrics.json")) == sorted(
        f"{reading}-metrics.json" for reading in readings
    )
    for rates in readings:
        _, linear = json.loads((tmp_path / "out" / f"{rates}-metrics.json").read_text())["rows"]
        assert linear["period"] == pytest.approx(2 * torch.pi / 3.1, rel=5e-3)  # the filter costs 0.36 %
        assert linear["amplitude"] == pytest.approx(0.1, rel=0.02)
        assert abs(linear["phase_error_end"]) < 0.1


def test_ten_wrong_uses_get_one_clear_sentence_each(refused, tmp_path):
    """Those of the command line; wrong shapes, times and states are tested where the library refuses them."""
    out = tmp_path / "out"
    text = tmp_path / "text.csv"
    text.write_text("0,0.1\n1,a tenth\n")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    unsorted = tmp_path / "unsorted.csv"
    unsorted.write_text("0,0.1\n2,0.2\n1,0.3\n")
    assert "henon-heiles" in refused("forecast", "henon-hieles", "--out", out)
    assert "hnn-mechanical" in refused("forecast", "henon-heiles", "--model", "hmm", "--out", out)
    assert "separable" in refused(
        "forecast", "henon-heiles", "--model", "hnn", "--integrator", "leapfrog", "--out", out, *QUICK
    )
    assert "escape energy 0.166667" in refused("simulate", "henon-heiles", "--energy", 0.4, "--out", out / "orbit.nc")
    assert "line 2: 'a tenth'" in refused("forecast", "clock", "--data", text, "--columns", "t,theta", "--out", out)
    assert "no rows" in refused("forecast", "clock", "--data", empty, "--out", out)
    assert "strictly increase" in refused("forecast", "clock", "--data", unsorted, "--columns", "t,theta", "--out", out)
    assert "missing.csv" in refused("forecast", "clock", "--data", tmp_path / "missing.csv", "--out", out)
    assert "cannot write" in refused("forecast", "henon-heiles", "--out", text / "below")
    assert "momenta" in refused("forecast", "van-der-pol", "--model", "hnn", "--out", out)
    assert "mu=1.5" in refused("simulate", "van-der-pol", "--set", "mu", "--out", out / "orbit.nc")
    assert "no parameter 'nu'" in refused("simulate", "van-der-pol", "--set", "nu=1", "--out", out / "orbit.nc")
    assert "no device 'cuda:77' here" in refused("simulate", "van-der-pol", "--device", "cuda:77", "--out", out / "orbit.nc")
    assert "does not sample by energy" in refused("simulate", "pendulum", "--energy", 1, "--out", out / "orbit.nc")
    assert "--out" in refused("forecast", "henon-heiles")
    assert "epochs" in refused("forecast", "henon-heiles", "--out", out, "--epochs", 0)
    assert ".png" in refused("simulate", "pendulum", "--out", out / "orbit.nc", "--plot", out / "picture.docx")
    assert ".gif or .mp4" in refused("simulate", "pendulum", "--out", out / "orbit.nc", "--animation", out / "film.avi")
    assert "did you mean" in refused("forecats").lower()
    assert "no device" in refused("forecast", "henon-heiles", "--out", out, "--device", "abacus")
    assert not list(out.glob("*")) if out.exists() else True


def test_forecast_learns_the_suspension_of_a_system_that_depends_on_time(run, tmp_path):
    result = run("forecast", "forced-duffing", "--model", "nn", "--integrator", "rk4", "--out", tmp_path, *QUICK)
    assert result.code == 0, result.err
    assert "forced-duffing (suspended)" in result.out
    assert systems.Orbit.load(tmp_path / "nn_rk4.nc").coordinates == ("x", "v", "cos", "sin")


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("forecast", [*models.names(), *integrators.names()]),
        ("chaos", models.names()),
        ("learn", tasks.names()),
        ("compare", tasks.names()),
        ("search", tasks.names()),
    ],
)
def test_help_lists_all_that_is_registered(run, command, names):
    text = re.sub(r"-\s+", "-", run(command, "--help").out)  # lines break at hyphens
    assert set(names) <= set(re.findall(r"[\w-]+", text))


def test_a_forecast_takes_angles(run, tmp_path):
    result = run("forecast", "pendulum", "--model", "nn", "--integrator", "rk4", "--angles", "--out", tmp_path, *QUICK)
    assert result.code == 0, result.err
    assert Forecaster.load(tmp_path / "nn.safetensors").angles is True


def test_angles_of_a_baseline_or_of_a_system_without_any_are_refused(refused, tmp_path):
    assert "linear has no network" in refused("forecast", "pendulum", "--model", "linear", "--angles", "--out", tmp_path)
    line = refused("forecast", "henon-heiles", "--model", "nn", "--angles", "--out", tmp_path, *QUICK)
    assert "angles=True needs a coordinate with a period" in line
