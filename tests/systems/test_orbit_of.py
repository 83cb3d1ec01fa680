"""Data in any usual form become orbits, with nothing lost; what cannot become one is refused in a sentence."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
import xarray
from hypothesis import given
from hypothesis import strategies as st

from systems import InputError, Orbit

T = np.arange(6) / 10
Z = np.stack([np.sin(T), np.cos(T)], axis=-1)
NAMES = ("x", "v")


def known(orbit):
    return orbit.coordinates == NAMES and np.array_equal(orbit.z.numpy(), Z) and np.array_equal(orbit.t.numpy(), T)


def wide(**more):
    return pd.DataFrame({"t": T, "x": Z[:, 0], "v": Z[:, 1], **more})


LEVELS = pd.MultiIndex.from_product([[0, 1], T[:3]], names=["run", "t"])

FORMS = {
    "names in an array": lambda: Orbit.of(Z, T, np.array(NAMES)),
    "one array per time": lambda: Orbit.of(list(Z), T, NAMES),
    "one tensor per time": lambda: Orbit.of(list(torch.from_numpy(Z)), list(T), NAMES),
    "numbered columns": lambda: Orbit.of(Orbit.of(pd.DataFrame(Z), T, coordinates=[0, 1]).z, T, NAMES),
    "numpy": lambda: Orbit.of(Z, T, NAMES),
    "tensors": lambda: Orbit.of(torch.from_numpy(Z), torch.from_numpy(T), NAMES),
    "lists": lambda: Orbit.of(Z.tolist(), T.tolist(), NAMES),
    "columns": lambda: Orbit.of({"t": T, "x": Z[:, 0], "v": Z[:, 1]}),
    "table": lambda: Orbit.of(wide()),
    "other names": lambda: Orbit.of(wide().rename(columns={"t": "clock"}), t="clock"),
    "index": lambda: Orbit.of(wide().set_index("t")),
    "times apart": lambda: Orbit.of(wide().drop(columns="t"), T),
    "chosen columns": lambda: Orbit.of(wide(note="a", w=1.0), coordinates=NAMES),
    "long table": lambda: Orbit.of(wide().melt("t", var_name="coordinate")),
    "dates": lambda: Orbit.of(wide().assign(t=pd.Timestamp("2026-11-29") + pd.to_timedelta(T, unit="s"))),
    "dataset": lambda: Orbit.of(xarray.Dataset({"x": ("time", Z[:, 0]), "v": ("time", Z[:, 1])}, coords={"time": T})),
    "array": lambda: Orbit.of(xarray.DataArray(Z, [("t", T), ("coordinate", list(NAMES))])),
    "its own dataset": lambda: Orbit.of(Orbit(T, Z, coordinates=NAMES).to_xarray()),
    "its own table": lambda: Orbit.of(Orbit(T, Z, coordinates=NAMES).to_pandas()),
    "itself": lambda: Orbit.of(Orbit(T, Z, coordinates=NAMES)),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_run_in_any_form_is_the_same_orbit(form):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert known(FORMS[form]())


RUNS = {
    "array": lambda: Orbit.of(np.stack([Z, -Z]), T, NAMES),
    "list": lambda: Orbit.of([Z, -Z], T, NAMES),
    "list with times": lambda: Orbit.of([Z, -Z], [T, T], NAMES),
    "tables": lambda: Orbit.of([wide(), wide(x=-Z[:, 0], v=-Z[:, 1])]),
    "named tables": lambda: Orbit.of({"a": wide(), "b": wide(x=-Z[:, 0], v=-Z[:, 1])}),
    "run column": lambda: Orbit.of(pd.concat([wide(run=1), wide(run=2, x=-Z[:, 0], v=-Z[:, 1])])),
    "other run column": lambda: Orbit.of(pd.concat([wide(who="a"), wide(who="b", x=-Z[:, 0], v=-Z[:, 1])]), run="who"),
    "dataset": lambda: Orbit.of(Orbit(T, np.stack([Z, -Z]), coordinates=NAMES).to_xarray()),
    "orbits": lambda: Orbit.of([Orbit(T, Z, coordinates=NAMES), Orbit(T, -Z, coordinates=NAMES)]),
}


@pytest.mark.parametrize("form", RUNS)
def test_several_runs_in_any_form_are_a_batch(form):
    orbits = RUNS[form]()
    assert orbits.shape == (2, 6)
    assert orbits.shared_times
    assert known(orbits[0])
    assert known(Orbit(orbits.t, -orbits.z[1], coordinates=orbits.coordinates))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.data())
def test_runs_of_any_lengths_come_back_from_every_form(lengths, data):
    draw = np.random.default_rng(data.draw(st.integers(0, 9)))
    runs = [draw.normal(size=(n, 2)) for n in lengths]
    times = [np.cumsum(draw.uniform(0.1, 1, n)) for n in lengths]
    orbits = Orbit.of(runs, times, NAMES)
    assert orbits.shape == (len(runs), max(lengths))
    for again in (orbits, Orbit.of(orbits.to_pandas()), Orbit.of(orbits.to_xarray()), Orbit.of(orbits.separate())):
        for one, z, t in zip(again.separate(), runs, times, strict=True):
            np.testing.assert_array_equal(one.z.numpy(), z)
            np.testing.assert_array_equal(one.t.numpy(), t)


def test_times_of_their_own_survive_selection_files_and_other_precisions(tmp_path):
    orbits = Orbit.of(
        [Z, Z[:3], Z[:4]], [T, T[:3] + 1, T[:4] * 2], NAMES, units={"x": "m", "t": "s"}, rate=[-Z, -Z[:3], -Z[:4]]
    )
    orbits.save(tmp_path / "orbits.nc")
    read = Orbit.load(tmp_path / "orbits.nc")
    for name in ("t", "z", "rate"):
        torch.testing.assert_close(getattr(read, name), getattr(orbits, name), rtol=0, atol=0, equal_nan=True)
    assert read.units == orbits.units == {"x": "m", "t": "s"}
    np.testing.assert_allclose(orbits[2].t, T[:6] * 2)
    np.testing.assert_allclose(orbits[1:, ::2].t[0], np.array([1.0, 1.2, 1.4]))
    assert orbits.to("cpu", torch.float32).t.shape == (3, 6)
    assert orbits[1].measured.sum() == 6


def test_stacked_orbits_keep_their_own_times_and_equal_ones_are_shared():
    one, other = Orbit(T, Z), Orbit(T + 1, Z)
    assert Orbit.stack([one, one]).shared_times
    apart = Orbit.stack([one, other])
    np.testing.assert_array_equal(apart.t, np.stack([T, T + 1]))
    both = Orbit.concatenate([apart, Orbit(T + 7, np.stack([Z, Z]))])
    np.testing.assert_array_equal(both[1].t, np.concatenate([T + 1, T + 7]))


def test_units_come_from_names_and_are_told_in_every_form():
    orbit = Orbit.of(pd.DataFrame({"t [ms]": T, "theta (deg)": Z[:, 0]}))
    assert orbit.coordinates == ("theta",)
    assert orbit.units == {"t": "ms", "theta": "deg"}
    assert list(orbit.to_pandas()) == ["t [ms]", "theta [deg]"]
    assert orbit.to_xarray()["time"].attrs["units"] == "ms"
    assert Orbit.of(orbit.to_xarray()).units == orbit.units


def test_rates_are_found_by_their_usual_names_or_by_those_given():
    table = wide(d_x=Z[:, 1], d_v=-Z[:, 0])
    assert np.array_equal(Orbit.of(table).rate[:, 1], -Z[:, 0])
    assert np.array_equal(Orbit.of(table.rename(columns={"d_x": "a", "d_v": "b"}), rate=["a", "b"]).rate[:, 0], Z[:, 1])
    orbit = Orbit(T, Z, rate=-Z, coordinates=NAMES)
    assert np.array_equal(Orbit.of(orbit.to_pandas()).rate, -Z)


def test_holes_are_not_measured():
    orbit = Orbit.of(wide(x=[0, np.nan, 2, 3, 4, 5], v=[0, np.nan, np.nan, 3, 4, 5]))
    assert orbit.measured.tolist()[1:3] == [[False, False], [True, False]]
    assert len(orbit.separate()[0].t) == 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Orbit.of(Z), "times of the states are missing"),
        (lambda: Orbit.of(Z, "t"), "names a column"),
        (lambda: Orbit.of(Z, T[:3]), r"shape \(\.\.\., 3, D\)"),
        (lambda: Orbit.of([Z, Z[:, :1]], T), "same coordinates"),
        (lambda: Orbit.of([Z, Z], [T]), "2 runs need times for each"),
        (lambda: Orbit.of(wide().drop(columns="t")), "no column of times"),
        (lambda: Orbit.of(wide(), t="clock"), "names no column"),
        (lambda: Orbit.of(wide(note="a")), "instead of numbers"),
        (lambda: Orbit.of(wide(), coordinates=["y"]), "no column 'y'"),
        (lambda: Orbit.of(wide(), run="who"), "names no column"),
        (lambda: Orbit.of(wide(t=T[::-1] * (T > 0.2))), "must strictly increase"),
        (lambda: Orbit.of(wide(t=["a"] * 6)), "numbers or dates"),
        (lambda: Orbit.of([wide(), wide().rename(columns={"v": "w"})]), "same coordinates"),
        (lambda: Orbit.of({"t": T, "x": T[:3]}), "one length"),
        (lambda: Orbit.of(pd.DataFrame({"t": [0, 0], "coordinate": ["x", "x"], "value": [1, 2]})), "two values of 'x'"),
        (lambda: Orbit.of(wide(), units={"y": "m"}), "neither 't' nor one of the coordinates"),
        (lambda: Orbit.of(wide(), units={"x": "\n"}), "printable"),
        (lambda: Orbit.of(xarray.DataArray(Z, dims=("row", "coordinate"))), "no dimension named"),
        (lambda: Orbit(T[None].repeat(3, 0), np.stack([Z, Z])), "one row for each orbit"),
        (lambda: Orbit(np.stack([T, -T]), np.stack([Z, Z])), r"t\[1, 0\]"),
        (lambda: Orbit.of(Z, T, NAMES, periods=[6, 6]), "periods must map"),
        (lambda: Orbit.of(Z, T, NAMES, units=["m", "s"]), "units must map"),
        (lambda: Orbit.of(Z, T, NAMES, units={"x": 3}), "printable"),
        (lambda: Orbit.of(torch.from_numpy(Z).to_sparse(), T), "dense"),
        (lambda: Orbit.of(torch.zeros(6, 2, device="meta"), T), "dense"),
        (lambda: Orbit.of(pd.DataFrame(Z, columns=pd.MultiIndex.from_product([["a"], NAMES])), T), "several levels"),
        (lambda: Orbit.of(pd.DataFrame({"t": T, "coordinate": ["x", None] * 3, "value": T})), "does not name a coordinate"),
        (lambda: Orbit.of(pd.DataFrame({"t": T, "coordinate": ["t", "x"] * 3, "value": T})), "rename it"),
        (lambda: Orbit.of([], []), "at least one time"),
    ],
)
def test_data_that_are_no_orbit_are_refused_in_a_sentence(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_table_keeps_what_its_index_and_its_labels_say():
    several = Orbit.of(pd.DataFrame(Z, columns=NAMES, index=LEVELS))
    assert np.array_equal(several.z, Z.reshape(2, 3, 2))
    assert np.array_equal(several.t, T[:3])
    series = Orbit.of(pd.Series(Z[:, 0], index=T, name="x"))
    assert (series.coordinates, series.t.tolist(), series.z[:, 0].tolist()) == (("x",), T.tolist(), Z[:, 0].tolist())
    long = pd.DataFrame({"t": np.repeat(T, 2), "coordinate": ["theta [deg]", "v [m/s]"] * 6, "value": Z.ravel()})
    orbit = Orbit.of(long)
    assert (orbit.units, orbit.periods) == ({"theta": "deg", "v": "m/s"}, {"theta": 360.0})
    assert np.array_equal(orbit.z, Z)
    assert Orbit.of([{"t": T, "x": T}, {"t": T[:3], "x": T[:3]}]).shape == (2, 6)


@pytest.mark.parametrize(
    "names", [("t", "rate"), ("Run", "x"), ("orbit", "x"), ("x", "d_x"), ("coordinate", "value"), ("x [m]", "y"), (" ", "y")]
)
def test_a_table_that_would_lose_a_coordinate_is_not_written(names, tmp_path):
    orbit = Orbit.of(Z, T, names)
    with pytest.raises(InputError, match="rename the coordinate"):
        orbit.to_pandas()
    orbit.save(tmp_path / "orbit.nc")
    for same in (Orbit.load(tmp_path / "orbit.nc"), Orbit.of(orbit.to_xarray())):
        assert same.coordinates == names
        assert np.array_equal(same.z, Z)


def test_a_batch_without_orbits_is_a_table_without_rows():
    table = Orbit.of(np.zeros((0, 6, 2)), T, NAMES).to_pandas()
    assert (list(table.columns), len(table)) == (["run", "t", "x", "v"], 0)
