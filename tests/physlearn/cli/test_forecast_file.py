"""`physlearn forecast data.csv`: what it understands, learns, forecasts and writes."""

import json

import numpy as np
import pandas as pd
import pytest

import systems
from physlearn import Forecaster
from physlearn.forecasting import measurements
from physlearn.forecasting.measured_forecast import forecast_measurements, line_up
from systems import InputError

QUICK = ["--epochs", "10", "--hidden", "8"]
PENDULUM = systems.get("pendulum")


@pytest.fixture
def throws(tmp_path):
    """Writes a file of several runs of a pendulum at uneven times, with noise and holes: ``throws(scale)``."""

    def write(scale=1.0, runs=7, time=1.0):
        draw = np.random.default_rng(0)
        tables = []
        for run, z0 in enumerate(PENDULUM.sample(runs, seed=0)):
            t = np.cumsum(draw.uniform(0.2, 0.5, 40))
            theta, p = PENDULUM.orbit(z0, t).z.numpy().T + draw.normal(scale=0.003, size=(2, 40))
            columns = {"trial": f"throw {run}", "Time [s]": time * t, "q [mm]": scale * theta, "v_q [mm/s]": scale / time * p}
            tables.append(pd.DataFrame({**columns, "camera": 2, "frame": range(40)}))
        table = pd.concat(tables)
        table.loc[draw.random(len(table)) < 0.03, "q [mm]"] = np.nan
        path = tmp_path / "throws.csv"
        table.to_csv(path, index=False, sep=";", decimal=",")
        return path

    return write


def test_a_file_of_runs_is_understood_learned_and_forecast(run, throws, tmp_path):
    result = run("forecast", throws(), "--model", "hnn-mechanical", *QUICK, "--keep-all", "--out", tmp_path / "out")
    assert result.code == 0, result.err
    assert "throws.csv: 7 runs of 4" in result.out
    assert "uneven steps" in result.out
    assert "states: q [mm], v_q [mm/s] (v_q is the rate of q, up to a factor)" in result.out
    assert "left out: camera (constant), frame (a by-product)" in result.out
    assert "the last 1 of 7 runs are forecast" in result.out
    assert "loss: shooting, because the orbits have no rates" in result.out
    assert "noise, estimated: q 0.0" in result.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")) == [
        "forecast.csv",
        "forecast.png",
        "model.safetensors",
        "report.html",
        "report.json",
    ]
    (row,) = json.loads((tmp_path / "out" / "report.json").read_text())["rows"]
    assert row["valid [s]"] > 10
    assert row["error q [mm]"] < 0.1
    table = pd.read_csv(tmp_path / "out" / "forecast.csv")
    assert list(table) == ["run", "t [s]", "q [mm]", "q forecast [mm]", "v_q [mm/s]", "v_q forecast [mm/s]"]
    error = np.sqrt(np.nanmean((table["q [mm]"] - table["q forecast [mm]"]) ** 2))
    assert error == pytest.approx(row["error q [mm]"], rel=1e-6)
    f = Forecaster.load(tmp_path / "out" / "model.safetensors")
    assert f.units == {"t": "s", "q": "mm", "v_q": "mm/s"}


@pytest.mark.parametrize(("scale", "time"), [(1e-9, 1e-9), (1e9, 1e6)])
def test_the_whole_chain_is_the_same_in_other_units(run, throws, tmp_path, scale, time):
    rows = []
    for k, sizes in enumerate([(1.0, 1.0), (scale, time)]):
        out = tmp_path / str(k)
        path = throws(sizes[0], 5, sizes[1])
        result = run("forecast", path, "--model", "hnn-mechanical", *QUICK, "--loss", "derivative", "--json", "--out", out)
        assert result.code == 0, result.err
        rows += json.loads(result.out)["result"]["rows"]
        assert (out / "forecast.png").stat().st_size > 10_000
    assert rows[1]["valid [s]"] == pytest.approx(rows[0]["valid [s]"] * time, rel=1e-6)
    for name, size in {"error q [mm]": scale, "error v_q [mm/s]": scale / time}.items():
        assert rows[1][name] == pytest.approx(rows[0][name] * size, rel=0.05)  # float32, and its rounding


def test_positions_alone_get_velocities_and_a_run_alone_is_cut_in_time(run, tmp_path):
    t = np.arange(200) / 10
    np.savetxt(tmp_path / "swing.csv", np.stack([t, 3 + np.sin(t)], 1), delimiter=",", header="t,x", comments="")
    result = run("forecast", tmp_path / "swing.csv", "--model", "linear", "--out", tmp_path / "out", "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)["result"]
    assert "a position, whose velocity is derived" in told["measurements"][1]
    assert told["split"].startswith("the last 20% of the run is forecast")
    assert told["rows"][0]["error x"] < 0.02
    assert told["rows"][0]["of the length"] == 1
    assert "derived from measured positions, which adds to their errors: v_x" in told["notes"]
    assert list(pd.read_csv(tmp_path / "out" / "forecast.csv"))[2:] == ["x", "x forecast", "v_x derived", "v_x forecast"]


def test_a_column_that_differs_between_runs_is_a_parameter_and_others_are_inputs(run, tmp_path):
    tables = []
    for k, mu in enumerate([0.5, 1.0, 2.0] * 2):
        system = systems.get("van-der-pol", mu=mu)
        t = np.arange(40) / 8
        z = system.orbit(system.sample(1, seed=k)[0], t).z.numpy()
        tables.append(pd.DataFrame({"run": k, "t": t, "x": z[:, 0], "v": z[:, 1], "mu": mu, "push": np.sin(k * t)}))
    pd.concat(tables).to_csv(tmp_path / "data.csv", index=False)
    arguments = [
        "forecast",
        tmp_path / "data.csv",
        *QUICK,
        "--loss",
        "derivative",
        "--out",
        tmp_path / "out",
        "--members",
        "2",
    ]
    result = run(*arguments, "--inputs", "push", "--model", "nn")
    assert result.code == 0, result.err
    assert "parameters: mu" in result.out
    assert "inputs: push" in result.out
    f = Forecaster.load(tmp_path / "out" / "model.safetensors")
    assert (f.channels.parameters, f.channels.inputs, f.coordinates) == (("mu",), ("push",), ("x", "v"))
    assert "x lower" in pd.read_csv(tmp_path / "out" / "forecast.csv")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("t,x\n0,1\n1,2\n", [], "a run of 2 times is too short to hold out a part of it"),
        ("t,x\n" + "".join(f"{i},1\n" for i in range(50)), [], "no column that varies"),
        ("0,1\n1,2\n", [], "has no header"),
        ("t,x,y\n0,1,2\n1,2,3\n", ["--inputs", "torque"], "no column 'torque'|no coordinate 'torque'"),
        ("t,x\n0,1\n1,2\n", ["--energy", "1"], "--energy is for systems"),
        ("t,x\n0,1\n1,2\n", ["--method", "rk4"], "--method is for systems"),
        ("t,x\n0,1\n1,2\n", ["--model", "hnm"], "hnm"),
        ("t,x\n0,1\n1,2\n", ["--time-column", "when"], "names no column"),
    ],
)
def test_what_cannot_be_forecast_is_refused_in_a_line(refused, tmp_path, text, options, message):
    (tmp_path / "data.csv").write_text(text)
    line = refused("forecast", tmp_path / "data.csv", *options, "--out", tmp_path / "out")
    assert any(part in line for part in message.split("|")), line
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--loss", "wrong"], "loss must be one of derivative"),
        (["--epochs", "-1"], "epochs must be positive"),
        (["--members", "0"], "'--members'"),
    ],
)
def test_a_wrong_setting_is_refused_before_a_model_is_trained(refused, tmp_path, monkeypatch, options, message):
    def fit(*_, **__):
        raise AssertionError("a model was trained")

    monkeypatch.setattr(Forecaster, "fit", fit)
    t = np.arange(60) / 5
    pd.DataFrame({"t": t, "x": np.sin(t), "v": np.cos(t)}).to_csv(tmp_path / "data.csv", index=False)
    line = refused("forecast", tmp_path / "data.csv", *options, "--out", tmp_path / "out")
    assert message in line
    assert "left out" not in line


def test_a_file_in_the_place_of_the_folder_is_named(refused, tmp_path):
    (tmp_path / "taken").write_text("")
    assert "taken, which is a file: choose a folder" in refused("forecast", "pendulum", "--out", tmp_path / "taken")


def test_options_for_files_are_refused_for_systems_and_a_file_that_is_missing_is_named(refused, tmp_path):
    assert "--members is for a file of measurements" in refused("forecast", "pendulum", "--members", "3", "--out", tmp_path)
    assert "nothing.csv does not exist" in refused("forecast", tmp_path / "nothing.csv", "--out", tmp_path / "out")


@pytest.mark.parametrize("runs", [pytest.param(1, marks=pytest.mark.slow), 6])
def test_a_model_with_memory_continues_what_was_measured_before_or_the_first_states_of_whole_runs(run, tmp_path, runs):
    t = np.arange(100) / 5
    orbits = PENDULUM.orbit(PENDULUM.sample(runs, seed=0), t).z.numpy()
    tables = [pd.DataFrame({"run": k, "t": t, "q": z[:, 0], "v": z[:, 1]}) for k, z in enumerate(orbits)]
    pd.concat(tables).to_csv(tmp_path / "data.csv", index=False)
    options = ["--model", "echo-state", "--out", tmp_path / "out"]
    result = run("forecast", tmp_path / "data.csv", *options)
    assert result.code == 0, result.err
    told = "the first states of each run are continued, and the rest is forecast"
    assert (told in result.out) == (runs > 1)
    table = pd.read_csv(tmp_path / "out" / "forecast.csv")
    forecast = table["q forecast"].notna()
    assert bool(forecast[0]) == (runs == 1)
    assert forecast.is_monotonic_increasing
    assert np.abs(table["q forecast"] - table["q"])[forecast].max() < 0.05


def test_models_of_the_line_up_that_cannot_be_trained_are_left_out_with_the_reason(tmp_path):
    t = np.cumsum(np.random.default_rng(0).uniform(0.1, 0.4, 60))  # a reservoir needs equal steps
    z = PENDULUM.orbit(PENDULUM.sample(1, seed=0)[0], t).z.numpy()
    pd.DataFrame({"t": t, "theta": z[:, 0], "omega": z[:, 1]}).to_csv(tmp_path / "data.csv", index=False)
    found = measurements.read(tmp_path / "data.csv")
    names = line_up(found)
    assert set(names) == {"linear", "polynomial", "nn", "next-generation-reservoir", "echo-state",
                          "hnn-mechanical", "dissipative-hnn-mechanical"}  # fmt: skip
    told = forecast_measurements(found, ("linear", "echo-state"), progress=False)
    assert list(told.table.index) == ["linear"]
    assert any(note.startswith("echo-state is left out: ") for note in told.notes)
    with pytest.raises(InputError, match="steps"):
        forecast_measurements(found, ("echo-state",), progress=False)


@pytest.mark.filterwarnings("ignore:.*held-out orbits are too few")
@pytest.mark.parametrize("runs", [1, 12])
def test_a_band_that_could_not_be_calibrated_is_named_so_in_the_picture_and_in_the_notes(tmp_path, runs):
    t = np.arange(80) / 5
    orbits = PENDULUM.orbit(PENDULUM.sample(runs, seed=0), t).z.numpy()
    tables = [pd.DataFrame({"run": k, "t": t, "q": z[:, 0], "v": z[:, 1]}) for k, z in enumerate(orbits)]
    pd.concat(tables).to_csv(tmp_path / "data.csv", index=False)
    found = measurements.read(tmp_path / "data.csv")
    told = forecast_measurements(
        found, ("nn",), loss="derivative", members=2, hidden=(8,), progress=False, training={"epochs": 10}
    )
    legend = [text.get_text() for text in told.plot().axes[0].get_legend().get_texts()]
    assert ("90% band, not calibrated" in legend) == (runs == 1)
    assert ("90% band" in legend) == (runs > 1)
    assert ("by bands that are not calibrated" in str(told)) == (runs == 1)


@pytest.mark.parametrize(
    ("name", "state"), [("recordings", "is a folder"), ("gone/data", "does not exist"), ("film.mp4", "does not exist")]
)
def test_what_can_only_be_a_path_is_not_called_an_unknown_system(refused, tmp_path, monkeypatch, name, state):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recordings").mkdir()
    line = refused("forecast", name, "--out", "out")
    assert line.startswith(f"physlearn: {name} {state}: give a CSV file of your own measurements, or a system")
    assert "no system" not in line
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_recording_of_a_system(refused, tmp_path):
    assert f"{tmp_path} is a folder: give a CSV file" in refused("forecast", "pendulum", "--data", tmp_path, "--out", "o")


def test_two_models_are_refused_as_only_the_last_would_be_trained(refused):
    told = refused("forecast", "pendulum", "--model", "nn", "--model", "hnn", "--epochs", 3, "--epochs", 4)
    assert "--model is given twice, but takes one value" in told
