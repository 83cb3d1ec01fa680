from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
import xarray
from hypothesis import given
from hypothesis import strategies as st

import systems
from systems import InputError, Orbit


def some_orbit(*batch, times=6, dim=2):
    """States whose values tell where they belong: batch number, then time, then coordinate; rates are -states."""
    t = torch.arange(times, dtype=torch.float64) / 4
    count = int(np.prod(batch)) if batch else 1
    z = 1000.0 * torch.arange(count, dtype=torch.float64)[:, None, None] + 10 * t[:, None] + torch.arange(dim) / 8
    z = z.reshape(*batch, times, dim)
    return Orbit(t, z, rate=-z, coordinates=tuple("abcdefgh"[:dim]), provenance={"made": "by hand", "batch": list(batch)})


def assert_same(found, expected):
    assert found.coordinates == expected.coordinates
    assert found.provenance == expected.provenance
    torch.testing.assert_close(found.t, expected.t, rtol=0, atol=0)
    torch.testing.assert_close(found.z, expected.z, rtol=0, atol=0, equal_nan=True)
    assert (found.rate is None) == (expected.rate is None)
    if expected.rate is not None:
        torch.testing.assert_close(found.rate, expected.rate, rtol=0, atol=0, equal_nan=True)


def test_an_orbit_does_not_change():
    with pytest.raises(FrozenInstanceError):
        some_orbit().t = torch.zeros(6)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([0.0, 1.0, 1.0], r"t\[1\] = 1 is followed by t\[2\] = 1"),
        ([0.0, 1.0, 0.5], r"t\[1\] = 1 is followed by t\[2\] = 0.5"),
        ([0.0, -1.0, -0.5], r"t\[1\] = -1 is followed by t\[2\] = -0.5"),
        ([0.0, 0.0, 1.0], r"t\[0\] = 0 is followed by t\[1\] = 0"),
        ([0.0, 1.0, float("nan")], "finite"),
        ([0.0, 1.0, float("inf")], "finite"),
    ],
)
def test_times_that_do_not_go_on_are_refused_with_their_place(times, message):
    with pytest.raises(InputError, match=message):
        Orbit(torch.tensor(times), torch.zeros(3, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"t": torch.zeros(0), "z": torch.zeros(0, 2)}, "at least one time"),
        ({"t": torch.tensor(0.0), "z": torch.zeros(1, 2)}, "list of at least one time"),
        ({"t": torch.tensor([[0.0, 1.0]]), "z": torch.zeros(2, 2)}, r"not \(1, 2\)"),
        ({"t": torch.arange(3), "z": torch.zeros(3, 2)}, "floating-point"),
        ({"t": torch.arange(3.0), "z": torch.zeros(3, 2, dtype=torch.int64)}, "floating-point"),
        ({"t": torch.arange(3.0), "z": torch.zeros(2, 3)}, r"must have shape \(\.\.\., 3, D\).*\(2, 3\)"),
        ({"t": torch.arange(3.0), "z": torch.zeros(3)}, "must have shape"),
        ({"t": torch.arange(3.0), "z": torch.zeros(3, 2), "coordinates": ("q",)}, "1 coordinate names .* dimension 2"),
        (
            {"t": torch.arange(3.0), "z": torch.zeros(3, 2), "rate": torch.zeros(3, 1)},
            r"rates must have the shape of the states, \(3, 2\), not \(3, 1\)",
        ),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Orbit(**arguments)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_diverged_forecast_keeps_what_it_did(value):
    assert not torch.isfinite(Orbit(torch.arange(2.0), torch.tensor([[0.0], [value]])).z[-1])


def test_decreasing_times_are_an_orbit_too():
    assert len(Orbit(torch.tensor([1.0, 0.5, 0.0]), torch.zeros(3, 2))) == 3


def test_coordinates_without_names_are_numbered():
    assert Orbit(torch.arange(2.0), torch.zeros(2, 3)).coordinates == ("z0", "z1", "z2")


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_the_shape_counts_orbits_and_times(batch):
    orbit = some_orbit(*batch)
    assert (orbit.shape, orbit.dim) == ((*batch, 6), 2)


def test_the_length_is_that_of_the_first_axis():
    assert (len(some_orbit()), len(some_orbit(4)), len(some_orbit(2, 3))) == (6, 4, 2)


def test_its_representation_tells_names_numbers_and_span():
    shown = repr(some_orbit(2, 3))
    assert all(part in shown for part in ("a, b", "2 x 3 orbits", "6 times", "t = 0 to 1.25"))


whole = st.integers(-8, 8) | st.none()
steps = st.sampled_from([None, 1, 2, 3, -1, -2])


@given(
    rows=st.builds(slice, whole, whole, steps.filter(lambda s: s is None or s > 0)),
    times=st.builds(slice, whole, whole, steps),
)
def test_slices_pick_what_they_pick_from_an_array(rows, times):
    orbit = some_orbit(4)
    expected = orbit.z.numpy()[rows, times]
    if expected.shape[1] == 0:
        with pytest.raises(IndexError, match="no time"):
            orbit[rows, times]
    else:
        np.testing.assert_array_equal(orbit[rows, times].z.numpy(), expected)


@pytest.mark.parametrize(
    "index",
    [
        3,
        -1,
        slice(1, 3),
        [0, 2],
        torch.tensor([2, 0]),
        torch.tensor([True, False, True, True]),
        ...,
        (..., slice(None, None, 2)),
    ],
    ids=str,
)
def test_an_index_picks_orbits_as_it_does_from_an_array(index):
    orbit = some_orbit(4)
    plain = index.numpy() if isinstance(index, torch.Tensor) else index
    expected = orbit.z.numpy()[(*index, slice(None)) if isinstance(index, tuple) else plain]
    np.testing.assert_array_equal(orbit[index].z.numpy(), expected)


def test_several_indices_reach_into_a_batch_of_several_axes():
    orbit = some_orbit(2, 3)
    np.testing.assert_array_equal(orbit[1, 2, 1:4].z.numpy(), orbit.z.numpy()[1, 2, 1:4])
    np.testing.assert_array_equal(orbit[:, 1].z.numpy(), orbit.z.numpy()[:, 1])
    np.testing.assert_array_equal(orbit[1, ..., ::-1].z.numpy(), orbit.z.numpy()[1, :, ::-1])


def test_times_and_rates_are_picked_with_the_states():
    picked = some_orbit(4)[2, 1::2]
    torch.testing.assert_close(picked.t, torch.tensor([0.25, 0.75, 1.25], dtype=torch.float64), rtol=0, atol=0)
    torch.testing.assert_close(picked.rate, -picked.z, rtol=0, atol=0)


def test_names_and_provenance_stay_with_what_is_picked():
    orbit = some_orbit(4)
    assert (orbit[1].coordinates, orbit[1].provenance) == (orbit.coordinates, orbit.provenance)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ((0, 1), "time axis"),
        ((..., 2), "time axis"),
        ((0, 1, slice(None)), "3 indices"),
        ((0, slice(9, None)), "no time"),
        (7, "out of bounds|out of range"),
    ],
)
def test_an_index_that_picks_no_orbit_is_refused(index, message):
    with pytest.raises(IndexError, match=message):
        some_orbit(4)[index]


def test_a_loop_goes_over_the_orbits_of_a_batch():
    orbit = some_orbit(4)
    for one, z in zip(orbit, orbit.z, strict=True):
        torch.testing.assert_close(one.z, z, rtol=0, atol=0)


def test_a_loop_over_a_single_orbit_says_that_there_is_nothing_to_loop_over():
    with pytest.raises((TypeError, IndexError)):
        list(some_orbit())


def test_another_precision_is_taken_by_all_parts():
    orbit = some_orbit(4).to(torch.float32)
    assert {orbit.t.dtype, orbit.z.dtype, orbit.rate.dtype} == {torch.float32}


@pytest.mark.parametrize(
    ("batch", "dims"),
    [
        ((), ("time", "coordinate")),
        ((4,), ("orbit", "time", "coordinate")),
        ((2, 3), ("orbit_0", "orbit_1", "time", "coordinate")),
    ],
)
def test_xarray_labels_say_which_number_is_which(batch, dims):
    orbit = some_orbit(*batch)
    data = orbit.to_xarray()
    assert data["z"].dims == data["rate"].dims == dims
    at = data["z"].sel(time=0.5, coordinate="b")
    np.testing.assert_array_equal(at.values, orbit.z[..., 2, 1].numpy())


def test_xarray_takes_an_orbit_that_requires_a_gradient():
    z = torch.zeros(2, 1, requires_grad=True)
    assert Orbit(torch.arange(2.0), z).to_xarray()["z"].shape == (2, 1)


@given(
    batch=st.lists(st.integers(1, 3), max_size=2),
    times=st.integers(1, 4),
    dim=st.integers(1, 3),
    with_rate=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    value=st.floats(width=32),
)
def test_what_is_saved_is_loaded(tmp_path_factory, batch, times, dim, with_rate, dtype, value):
    orbit = some_orbit(*batch, times=times, dim=dim).to(dtype)
    orbit.z.view(-1)[-1] = value
    if not with_rate:
        orbit = Orbit(orbit.t, orbit.z, coordinates=orbit.coordinates, provenance=orbit.provenance)
    path = tmp_path_factory.mktemp("orbits") / "orbit.nc"
    orbit.save(path)
    loaded = Orbit.load(path)
    assert_same(loaded, orbit)
    assert loaded.z.dtype == dtype


def test_loading_warns_of_nothing_even_where_a_warning_is_given_only_once(tmp_path):
    some_orbit(4).save(tmp_path / "orbit.nc")
    torch.set_warn_always(True)
    try:
        Orbit.load(tmp_path / "orbit.nc")
    finally:
        torch.set_warn_always(False)


def test_a_saved_orbit_is_netcdf_for_others_to_read(tmp_path):
    some_orbit(4).save(tmp_path / "orbit.nc")
    assert xarray.load_dataset(tmp_path / "orbit.nc", engine="h5netcdf")["z"].shape == (4, 6, 2)


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "orbit.nc"
    some_orbit().save(path)
    unwritable = Orbit(torch.arange(2.0), torch.zeros(2, 1), provenance={"not": object()})
    with pytest.raises(TypeError):
        unwritable.save(path)
    assert list(tmp_path.iterdir()) == [path]
    assert_same(Orbit.load(path), some_orbit())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.nc"):
        Orbit.load(tmp_path / "nowhere.nc")


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "orbit.nc"
    some_orbit().save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="not a whole netCDF file"):
        Orbit.load(path)


def test_text_is_no_orbit(tmp_path):
    path = tmp_path / "orbit.nc"
    path.write_text("0, 1, 2\n")
    with pytest.raises(InputError, match=r"orbit.nc is not a whole netCDF file"):
        Orbit.load(path)


def test_a_foreign_netcdf_file_is_no_orbit(tmp_path):
    path = tmp_path / "weather.nc"
    xarray.Dataset({"rain": ("day", [1.0, 2.0])}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(InputError, match="contains no orbit"):
        Orbit.load(path)


def test_stacking_undoes_picking():
    orbit = some_orbit(4)
    assert_same(Orbit.stack([orbit[i] for i in range(4)]), orbit)


@given(cut=st.integers(1, 5))
def test_concatenating_undoes_cutting(cut):
    orbit = some_orbit(4)
    assert_same(Orbit.concatenate([orbit[..., :cut], orbit[..., cut:]]), orbit)


def without_rate(orbit):
    return Orbit(orbit.t, orbit.z, coordinates=orbit.coordinates)


@pytest.mark.parametrize("join", [Orbit.stack, lambda orbits: Orbit.concatenate([orbits[0][:3], orbits[1][3:]])])
def test_joined_orbits_have_rates_only_where_all_have(join):
    assert join([some_orbit(), without_rate(some_orbit())]).rate is None


@pytest.mark.parametrize(
    ("join", "orbits", "message"),
    [
        (Orbit.stack, [], "no orbits"),
        (Orbit.stack, [some_orbit(), some_orbit(times=5)], "same shape"),
        (Orbit.stack, [some_orbit(), some_orbit(dim=1)], "must have the same coordinates"),
        (Orbit.stack, [some_orbit(2), some_orbit(3)], "same shape"),
        (Orbit.concatenate, [], "no orbits"),
        (Orbit.concatenate, [some_orbit(), some_orbit()], "is followed by"),
        (Orbit.concatenate, [some_orbit(2), some_orbit(3)], "batches of the same shape"),
        (Orbit.concatenate, [some_orbit(), some_orbit(dim=1)], "must have the same coordinates"),
    ],
)
def test_orbits_that_do_not_match_are_not_joined(join, orbits, message):
    with pytest.raises(InputError, match=message):
        join(orbits)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_an_orbit_on_a_gpu_is_saved_and_comes_back_to_the_cpu(tmp_path):
    some_orbit(4).to("cuda").save(tmp_path / "orbit.nc")
    assert_same(Orbit.load(tmp_path / "orbit.nc"), some_orbit(4))


@pytest.mark.parametrize("join", [Orbit.stack, lambda orbits: Orbit.concatenate([orbits[0][..., :3], orbits[1][..., 3:]])])
def test_orbits_of_different_parameters_or_periods_do_not_join(join):
    t = torch.linspace(0, 1, 5, dtype=torch.float64)
    light, heavy = (systems.get("pendulum", gravity=g).orbit([1.0, 0.0], t) for g in (1.0, 4.0))
    with pytest.raises(InputError, match="keep them in a list"):
        join([light, heavy])
    degrees = Orbit(t, light.z, coordinates=light.coordinates, periods={"theta": 360.0})
    with pytest.raises(InputError, match="the period"):
        join([light, degrees])
    plain = Orbit(t, light.z, coordinates=light.coordinates)
    assert join([plain, light]).periods == light.periods
