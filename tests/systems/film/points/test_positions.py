"""Places of markers: tables, orbits, and files."""

import h5py
import numpy as np
import pandas as pd
import pytest

from systems import InputError, Orbit
from systems.film import Positions
from systems.film.points.axes import Axes


@pytest.fixture
def positions():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 3, 20))
    x[1, 4] = y[1, 4] = np.nan
    errors = np.where(np.isnan(x), np.nan, 0.1)
    axes = Axes(0.002, 1e-3, (10.0, 20.0), 5.0, True, "m")
    return Positions(
        np.arange(20) / 30, x, y, errors, np.where(np.isnan(x), 0.0, 0.9), np.arange(5, 25), axes, {"film": "a.mp4"}
    )


def test_places_are_read_as_they_were_saved(positions, tmp_path):
    positions.save(tmp_path / "places.nc")
    again = Positions.load(tmp_path / "places.nc")
    for name in ("t", "x", "y", "errors", "quality", "frames"):
        np.testing.assert_array_equal(getattr(again, name), getattr(positions, name))
    assert again.axes == positions.axes
    assert again.provenance == positions.provenance


def test_a_changed_or_foreign_file_is_refused(positions, tmp_path):
    path = tmp_path / "places.nc"
    positions.save(path)
    with h5py.File(path, "r+") as file:
        file["x"][0, 0] += 1
    with pytest.raises(InputError, match="was changed after it was written"):
        Positions.load(path)
    positions.to_orbit().save(path)
    with pytest.raises(InputError, match="contains no places of markers"):
        Positions.load(path)
    path.write_bytes(b"\x89HDF")
    with pytest.raises(InputError, match="not a whole netCDF file"):
        Positions.load(path)
    with pytest.raises(FileNotFoundError):
        Positions.load(tmp_path / "none.nc")


def test_the_table_has_one_row_per_marker_and_frame_and_is_read_as_orbits(positions, tmp_path):
    positions.to_csv(tmp_path / "places.csv")
    table = pd.read_csv(tmp_path / "places.csv")
    assert list(table) == ["marker", "frame", "t", "x", "y", "error", "quality"]
    assert len(table) == 60
    runs = Orbit.of(table, coordinates=("x", "y"), run="marker")
    np.testing.assert_allclose(runs.z[2, :, 0], positions.x[2])
    assert np.isnan(table.loc[table["marker"] == 1, "x"].iloc[4])


def test_an_orbit_has_the_places_of_all_markers(positions):
    orbit = positions.to_orbit()
    assert orbit.coordinates == ("x_0", "y_0", "x_1", "y_1", "x_2", "y_2")
    np.testing.assert_array_equal(orbit.z[:, 3], positions.y[1])
    assert orbit.units["x_0"] == "m"
    assert orbit.z[4, 2].isnan()
    again = Orbit.of(positions)
    assert again.coordinates == orbit.coordinates
    assert again.units == orbit.units


def test_places_relative_to_a_marker_have_both_errors(positions):
    relative = positions.relative_to(1)
    np.testing.assert_array_equal(relative.x[1], positions.x[2] - positions.x[1])
    assert relative.errors[0, 0] == pytest.approx(0.1 * np.sqrt(2))
    with pytest.raises(InputError, match="relative to marker 3"):
        positions.relative_to(3)
