"""Measurements: what their columns are understood to be, their units, and what must not be mixed."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray

import systems
from physlearn import Forecaster
from physlearn.forecasting import measurements
from physlearn.forecasting.held_out import split
from physlearn.metrics import valid_prediction_time
from physlearn.plotting import measured_plot
from systems import InputError, Orbit

T = np.arange(0, 12, 0.1)


@pytest.fixture
def read(tmp_path):
    def read(tables, **arguments):
        pd.concat(tables).to_csv(tmp_path / "data.csv", index=False)
        return measurements.read(tmp_path / "data.csv", **arguments)

    return read


def columns(name, names, runs=4, **more):
    """Runs of a system in columns of these names."""
    system = systems.get(name)
    orbits = system.orbit(system.sample(runs, seed=0), torch.from_numpy(T)).z.numpy()
    return [pd.DataFrame({"run": k, "t": T, **dict(zip(names, z.T, strict=False)), **more}) for k, z in enumerate(orbits)]


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (("x", "y", "p_x", "p_y"), {"x": "p_x", "y": "p_y"}),
        (("a", "b", "v_a", "v_b"), {"a": "v_a", "b": "v_b"}),
        (("x_1", "x_2", "v_1", "v_2"), {"x_1": "v_1", "x_2": "v_2"}),
    ],
)
def test_velocities_and_momenta_are_found_beside_their_positions_in_any_order(read, names, pairs):
    shuffled = [table[["t", "run", *np.array(names)[[2, 0, 3, 1]]]] for table in columns("henon-heiles", names)]
    found = read(shuffled)
    assert dict(found.pairs) == pairs
    assert found.runs[0].coordinates == names
    assert not found.positions


def test_a_column_that_is_named_like_a_velocity_but_is_none_is_not_taken_for_one(read):
    tables = columns("henon-heiles", ("x", "y", "v_y", "v_x"))
    assert read(tables).pairs == {}


def test_too_few_states_per_turn_do_not_tell(read):
    found = read(columns("lorenz", ("a", "b", "c")))
    assert not found.positions
    assert "6.92 states per turn are too few to tell" in found.why


@pytest.mark.parametrize(
    ("name", "names", "positions"),
    [
        ("fitzhugh-nagumo", ("a", "b"), False),
        ("lotka-volterra", ("prey", "predators"), False),
        ("henon-heiles", ("a", "b"), True),
        ("double-pendulum", ("a", "b"), True),
        ("pendulum", ("a",), True),
    ],
)
def test_coordinates_that_do_not_determine_their_rates_are_positions(read, name, names, positions):
    assert read(columns(name, names)).positions is positions
    assert read(columns(name, names), positions=not positions).positions is not positions


def test_parameters_constants_and_by_products_are_no_states(read):
    tables = [table.assign(mass=k % 2, gain=3, frame=range(len(T))) for k, table in enumerate(columns("pendulum", ("q", "p")))]
    found = read(tables)
    assert found.channels.parameters == ("mass",)
    assert found.left_out == {"gain": "constant", "frame": "a by-product"}
    assert read(tables, parameters=()).left_out["mass"] == "constant in each run"
    assert "left out: gain (constant), frame (a by-product)" in str(found)
    with pytest.raises(InputError, match="neither a parameter nor an input"):
        read([table[["run", "t", "gain"]] for table in tables])


def test_whole_runs_are_held_out_or_the_ends_of_a_few(read):
    runs = read(columns("pendulum", ("q", "p"), runs=10)).runs
    parts = split(runs)
    assert [len(part) for part in (parts.training, parts.validation, parts.test)] == [6, 2, 2]
    assert parts.test == runs[8:]
    parts = split(runs[:2])
    for k in range(2):
        pieces = [part[k].t for part in (parts.training, parts.validation, parts.test)]
        assert torch.equal(torch.cat(pieces), runs[k].t)
        assert [len(t) for t in pieces] == [78, 18, 24]


def test_forecasts_and_files_have_the_units_of_the_data(tmp_path):
    system = systems.get("pendulum")
    t = torch.linspace(0, 5, 51, dtype=torch.float64)
    z = system.orbit(system.sample(6, seed=0), t)
    units = {"t": "s", "theta": "rad"}
    orbits = Orbit(t, z.z, z.rate, z.coordinates, units=units)
    f = Forecaster("linear").fit(orbits, progress=False)
    f.save(tmp_path / "f.safetensors")
    for one in (f, Forecaster.load(tmp_path / "f.safetensors")):
        forecast = one.forecast(orbits.z[:, 0], t, progress=False)
        assert forecast.units == units
    forecast.save(tmp_path / "orbit.nc")
    assert Orbit.load(tmp_path / "orbit.nc").units == units
    with xarray.open_dataset(tmp_path / "orbit.nc", engine="h5netcdf") as read:
        assert read["time"].attrs["units"] == "s"
    other = Orbit(t, z.z, z.rate, z.coordinates, units={"t": "ms"})
    with pytest.raises(InputError, match="the time is in s in one orbit and in ms in another"):
        Forecaster("linear").fit([orbits, other], progress=False)
    with pytest.raises(InputError, match="the time is in s in one orbit and in ms in another"):
        valid_prediction_time(forecast, other)


def test_runs_whose_known_parameters_differ_are_refused_without_a_channel():
    system = systems.get("pendulum")
    t = torch.linspace(0, 5, 51, dtype=torch.float64)
    z = system.orbit(system.sample(2, seed=0), t)
    runs = [Orbit(t, z.z[k], z.rate[k], z.coordinates, provenance={"parameters": {"mass": 1.0 + k}}) for k in range(2)]
    with pytest.raises(InputError, match=r"one system with mass=1.0 and mass=2.0: .* parameters=\(\"mass\",\)"):
        Forecaster("linear").fit(runs, progress=False)
    Forecaster("nn", hidden=(4,), parameters=("mass",)).fit(runs, epochs=1, polish=0, progress=False)


def test_derived_velocities_are_not_called_measured():
    t = torch.linspace(0, 6, 40, dtype=torch.float64)
    seen = Orbit.of(t.cos(), t, coordinates=("x",)).with_velocities()
    position, velocity = measured_plot(seen, {"model": Orbit(t, torch.stack([t.cos(), -t.sin()], -1), None, ("x", "v_x"))})
    assert position.get_legend_handles_labels()[1] == ["measured", "model"]
    assert velocity.get_legend_handles_labels()[1] == ["derived from positions", "model"]
    assert [text.get_text() for text in position.get_legend().get_texts()] == ["measured", "model", "derived from positions"]


def test_measurements_are_drawn_with_their_units_and_holes_left_out():
    t = torch.linspace(0, 6, 20, dtype=torch.float64)
    z = 1e9 * torch.stack([t.cos(), -t.sin()], -1)
    seen = Orbit(t, z.where(t[:, None] != t[5], torch.nan), coordinates=("x", "v"), units={"x": "nm", "t": "ns"})
    upper, lower = measured_plot(seen, {"model": Orbit(t, z, coordinates=("x", "v"))}, seen[:4])
    assert (upper.get_ylabel(), lower.get_xlabel()) == ("$x$ [nm]", "$t$ [ns]")
    assert upper.get_ylim()[1] == pytest.approx(1e9 + 0.35 * (float(z[:, 0].max() - z[:, 0].min())), rel=1e-2)
    assert upper.get_legend_handles_labels()[1] == ["before", "measured", "model"]
    with pytest.raises(InputError, match="a batch of shape"):
        measured_plot(Orbit(t, torch.stack([z, z])), {})
    with pytest.raises(InputError, match=r"coordinates \('q', 'v'\)"):
        measured_plot(seen, {"other": Orbit(t, z, coordinates=("q", "v"))})
