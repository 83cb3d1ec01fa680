"""What an orbit is made from: arrays, lists, tensors, names, and provenance of any numbers."""

import numpy as np
import pytest
import torch

from systems import InputError, Orbit


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", ">f8", "f2"])
def test_editing_the_array_that_was_given_does_not_edit_the_orbit(dtype):
    t, z = np.arange(3, dtype=dtype), np.ones((3, 2), dtype)
    orbit = Orbit(t, z, 2 * z)
    before = orbit.to_xarray().copy(deep=True)
    t[:] = z[:] = 9
    shared = orbit.to_xarray()
    shared["z"][:] = shared["rate"][:] = 9
    assert orbit.to_xarray().equals(before)
    assert orbit.z.numpy().dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize(
    "t",
    [
        [0, 1, 2],
        (0, 1.0, 2),
        np.arange(3),
        range(3),
        np.arange(6)[::2] / 2,
        [torch.tensor(float(k)).double() for k in range(3)],
    ],
)
def test_whole_numbers_and_lists_become_float64(t):
    orbit = Orbit(t, [[0, 1], [1, 2], [2, 3]], [[1, 1]] * 3)
    assert {orbit.t.dtype, orbit.z.dtype, orbit.rate.dtype} == {torch.float64}
    assert orbit.t.tolist() == [0, 1, 2]
    assert orbit.z[:, 1].tolist() == [1, 2, 3]


def test_rates_take_the_type_of_the_states():
    z = torch.zeros(2, 1, dtype=torch.float32)
    for rate in (np.ones((2, 1)), [[1], [1]], torch.ones(2, 1, dtype=torch.float64)):
        orbit = Orbit(torch.arange(2.0), z, rate)
        assert (orbit.rate.dtype, orbit.rate.tolist()) == (torch.float32, [[1.0], [1.0]])


def test_a_tensor_is_kept_with_its_gradient():
    z = torch.zeros(2, 1, requires_grad=True)
    assert Orbit(torch.arange(2.0), z).z is z


ODD = [
    ([[1j], [0]], "complex128"),
    (torch.zeros(2, 1, dtype=torch.complex64), "complex64"),
    ([[True], [False]], "bool"),
    (np.array([["a"], ["b"]]), "<U1"),
    ([[None], [None]], "object"),
    ([[1.0], [1.0, 2.0]], "array of numbers"),
    (np.ma.masked_equal([[1.0], [2.0]], 2.0), "masked"),
    (torch.zeros(2, 1, dtype=torch.float8_e5m2), "float8_e5m2"),
]


@pytest.mark.parametrize(("values", "told"), ODD)
def test_what_is_no_array_of_real_numbers_is_refused(values, told):
    for arguments in ({"z": values}, {"z": torch.zeros(2, 1), "rate": values}):
        with pytest.raises(InputError, match=told):
            Orbit(torch.arange(2.0), **arguments)


def test_states_and_rates_on_two_devices_are_refused():
    with pytest.raises(InputError, match="rates are on meta, but the states are on cpu"):
        Orbit(torch.arange(2.0), torch.zeros(2, 1), torch.zeros(2, 1, device="meta"))


@pytest.mark.parametrize("names", [("q", "q"), (0, 1), ("q", ""), ("q", "p\n"), ("q", "\x1b[2J")])
def test_coordinates_have_different_printable_names(names):
    with pytest.raises(InputError, match="coordinate"):
        Orbit(torch.arange(2.0), torch.zeros(2, 2), coordinates=names)


def test_provenance_with_numbers_of_numpy_and_torch_is_saved(tmp_path):
    told = {
        "seed": np.int64(3),
        "masses": np.array([1.0, 2.0], "f4"),
        "deep": [{np.int32(7): (np.float32(0.5), np.bool_(True))}],
        "long": np.longdouble(2),
        "tensor": torch.tensor([1, 2]),
        "dtype": torch.float32,
        "file": tmp_path / "a.csv",
    }
    Orbit(torch.arange(2.0), torch.zeros(2, 1), provenance=told).save(tmp_path / "orbit.nc")
    assert Orbit.load(tmp_path / "orbit.nc").provenance == {
        "seed": 3,
        "masses": [1.0, 2.0],
        "deep": [{"7": [0.5, True]}],
        "long": 2.0,
        "tensor": [1, 2],
        "dtype": "torch.float32",
        "file": str(tmp_path / "a.csv"),
    }


def test_provenance_is_a_mapping():
    with pytest.raises(InputError, match="mapping"):
        Orbit(torch.arange(2.0), torch.zeros(2, 1), provenance="by hand")
