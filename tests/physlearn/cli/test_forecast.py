"""`physlearn forecast`: output, files and exit code."""

import json

import pytest
import torch

import systems
from physlearn import Forecaster

QUICK = ["--orbits", "12", "--test-orbits", "3", "--time", "3", "--epochs", "3", "--hidden", "8"]


def test_forecast_leaves_a_report_a_picture_and_the_best_model(run, tmp_path):
    result = run("forecast", "pendulum", "--model", "hnn", "--out", tmp_path, *QUICK)
    assert result.out.splitlines()[1].startswith("best forecast: hnn + ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["forecast.png", "model.safetensors", "report.html"]


def test_forecast_leaves_everything_that_its_reader_needs_where_all_is_kept(run, tmp_path):
    result = run("forecast", "henon-heiles", "--model", "hnn", "--out", tmp_path, "--keep-all", *QUICK)
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
        arguments = ["forecast", "van-der-pol", "--model", "nn", "--method", "rk4", "--seed", seed, "--json", *QUICK]
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
    arguments = ["--data", tmp_path / "angles.csv", "--model", "linear", "--out", tmp_path / "out", "--json", "--keep-all"]
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


def test_forecast_learns_the_suspension_of_a_system_that_depends_on_time(run, tmp_path):
    result = run("forecast", "forced-duffing", "--model", "nn", "--method", "rk4", "--out", tmp_path, "--keep-all", *QUICK)
    assert result.code == 0, result.err
    assert "forced-duffing (suspended)" in result.out
    assert systems.Orbit.load(tmp_path / "nn_rk4.nc").coordinates == ("x", "v", "cos", "sin")


def test_a_forecast_takes_angles(run, tmp_path):
    result = run("forecast", "pendulum", "--model", "nn", "--method", "rk4", "--angles", "--out", tmp_path, *QUICK)
    assert result.code == 0, result.err
    assert Forecaster.load(tmp_path / "model.safetensors").angles is True


def test_angles_of_a_baseline_or_of_a_system_without_any_are_refused(refused, tmp_path):
    assert "linear has no network" in refused("forecast", "pendulum", "--model", "linear", "--angles", "--out", tmp_path)
    line = refused("forecast", "henon-heiles", "--model", "nn", "--angles", "--out", tmp_path, *QUICK)
    assert "angles=True needs a coordinate with a period" in line


def test_the_old_name_of_the_method_works_and_says_so_in_one_line(run, tmp_path):
    options = ["forecast", "van-der-pol", "--model", "nn", "--json", *QUICK, "--out", tmp_path]
    new, old = run(*options, "--method", "rk4"), run(*options, "--integrator", "rk4")
    assert old.code == 0, old.err
    assert json.loads(old.out)["result"] == json.loads(new.out)["result"]
    assert new.err == ""
    assert old.err.splitlines() == ["physlearn: --integrator is deprecated and will be removed; use --method"]
    assert "--integrator" not in run("forecast", "--help").out
