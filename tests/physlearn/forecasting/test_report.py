"""A report prints, draws and saves itself."""

import json

import pytest

import systems
from physlearn import Forecaster
from physlearn.forecasting import contender, simulated


@pytest.fixture(scope="module")
def report():
    system = systems.get("pendulum")
    protocol = simulated.Protocol(training_orbits=5, validation_orbits=2, samples=10, test_orbits=2, time=2.0)
    chosen = contender.choose("linear", None, system.canonical)
    return simulated.forecast_system(system, chosen, protocol, progress=False)


def test_its_text_is_the_title_the_table_and_the_notes(report):
    lines = str(report).splitlines()
    assert lines[0] == report.title
    assert lines[1].startswith("best forecast: linear + gauss-legendre-4, valid for ")
    assert [line.split("  ")[0] for line in lines[3:5]] == ["truth", "linear + gauss-legendre-4"]
    assert all(f"  {note}" in lines for note in report.notes)


def test_it_saves_a_page_a_picture_and_the_best_model_and_returns_the_paths(report, tmp_path):
    written = report.save(tmp_path / "deep" / "folder")
    assert [path.name for path in written] == ["report.html", "forecast.png", "model.safetensors"]
    assert Forecaster.load(written[-1]).name == "linear"
    assert sorted(written) == sorted((tmp_path / "deep" / "folder").iterdir())


def test_it_saves_all_orbits_and_models_where_all_is_kept(report, tmp_path):
    folder = tmp_path / "folder"
    written = report.save(folder, "a-", keep_all=True)
    names = ["report.html", "forecast.png", "metrics.json", "manifest.json"]
    names += ["truth.nc", "linear_gauss-legendre-4.nc", "linear.safetensors"]
    assert written == [folder / f"a-{name}" for name in names]
    assert sorted(written) == sorted(folder.iterdir())
    assert json.loads((folder / "a-metrics.json").read_text()) == json.loads(json.dumps(report.metrics()))
    assert json.loads((folder / "a-manifest.json").read_text())["settings"]["seed"] == 0


def test_it_draws_truth_and_forecast(report):
    titles = [ax.get_title() for ax in report.plot().axes]
    assert titles[:2] == ["truth", "linear\n+ gauss-legendre-4"]
