"""Orbits on disk: what is read is what was written, or a sentence; and nothing but the file is read."""

import hashlib
import json
import random
import resource
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest
import torch
import xarray

from systems import InputError, Orbit


def some_orbit(*batch, times=6, dim=2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(*batch, times, dim, generator=generator, dtype=torch.float64).to(dtype)
    t = torch.arange(times, dtype=torch.float64) / 4
    told = {"made": "by hand", "nested": [1, {"a": 1.5}]}
    return Orbit(t, z, rate=-z, coordinates=tuple("abcd"[:dim]), provenance=told, periods={"a": 6.28} if dim else {})


def same(one, other):
    parts = [(one.t, other.t), (one.z, other.z), (one.rate, other.rate)]
    told = [(o.coordinates, o.provenance, o.periods) for o in (one, other)]
    return told[0] == told[1] and all(a.dtype == b.dtype and torch.equal(a, b) for a, b in parts)


@pytest.fixture
def file(tmp_path):
    some_orbit(3).save(tmp_path / "orbit.nc")
    return tmp_path / "orbit.nc"


@pytest.fixture
def old(tmp_path):
    """A file as versions without a checksum wrote it."""
    some_orbit(3).to_xarray().to_netcdf(tmp_path / "old.nc", engine="h5netcdf")
    return tmp_path / "old.nc"


def test_a_file_without_a_checksum_still_loads(old):
    assert "sha256" not in xarray.load_dataset(old, engine="h5netcdf").attrs
    assert same(Orbit.load(old), some_orbit(3))


@pytest.mark.parametrize("batch", [(), (3,), (2, 3), (0,), (2, 0)])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_precision_and_batch_comes_back_as_it_was(batch, dtype, tmp_path):
    orbit = some_orbit(*batch, dtype=dtype)
    orbit.save(tmp_path / "orbit.nc")
    assert same(Orbit.load(tmp_path / "orbit.nc"), orbit)


def test_other_programs_read_the_numbers(file):
    with xarray.open_dataset(file, engine="h5netcdf") as data:
        np.testing.assert_array_equal(data["z"].values, some_orbit(3).z.numpy())
        assert data["coordinate"].values.tolist() == ["a", "b"]
    with h5py.File(file) as data:
        np.testing.assert_array_equal(data["rate"], some_orbit(3).rate.numpy())


def test_what_xarray_writes_again_loads_with_its_checksum(file, tmp_path):
    xarray.load_dataset(file, engine="h5netcdf").to_netcdf(tmp_path / "again.nc", engine="h5netcdf")
    assert same(Orbit.load(tmp_path / "again.nc"), some_orbit(3))


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f["z"].__setitem__((0, 0, 0), 5.0),
        lambda f: f["time"].__setitem__(5, 9.0),
        lambda f: f["rate"].__setitem__((2, 5, 1), np.nextafter(f["rate"][2, 5, 1], 9)),
        lambda f: f["coordinate"].__setitem__(0, "b0"),
        lambda f: f.attrs.__setitem__("provenance", '{"made": "otherwise"}'),
        lambda f: f.attrs.__setitem__("periods", '{"a": 6.3}'),
        lambda f: f.attrs.__setitem__("dtypes", '{"z": "float16"}'),
        lambda f: f.__delitem__("rate"),
        lambda f: f.attrs.__setitem__("format", "physlearn-orbit-1"),
    ],
    ids=["state", "time", "rate", "name", "provenance", "period", "precision", "no rates", "older format"],
)
def test_a_changed_file_is_refused(change, file):
    with h5py.File(file, "r+") as opened:
        change(opened)
    with pytest.raises(InputError, match="checksum does not match"):
        Orbit.load(file)


def test_a_file_whose_checksum_is_missing_is_refused(file):
    with h5py.File(file, "r+") as opened:
        del opened.attrs["sha256"]
        opened["z"][0, 0, 0] = 5.0
    with pytest.raises(InputError, match="has no checksum"):
        Orbit.load(file)


def test_a_dataset_of_a_file_tells_where_the_orbit_comes_from(file):
    assert Orbit.of(xarray.load_dataset(file, engine="h5netcdf")).provenance == some_orbit(3).provenance


def test_the_checksum_is_that_of_bytes_shapes_types_and_texts(tmp_path):
    """By the definition: SHA-256 of a header that tells everything but the numbers, then of each array."""
    told = {"format": "physlearn-orbit-2", "provenance": "{}", "periods": "{}", "dtypes": None}
    expected = hashlib.sha256(json.dumps([told, ["q"]]).encode())
    for name, values in {"time": [0.0, 1.0], "z": [[2.0], [3.0]]}.items():
        array = np.array(values, "<f4")
        expected.update(f"{name} <f4 {array.shape}".encode() + array.tobytes())
    Orbit(torch.tensor([0.0, 1.0]), torch.tensor([[2.0], [3.0]]), coordinates=("q",)).save(tmp_path / "orbit.nc")
    with h5py.File(tmp_path / "orbit.nc") as file:
        assert file.attrs["sha256"] == expected.hexdigest()


def external(f, name="rate"):
    shape = f[name].shape
    del f[name]
    f.create_dataset(name, shape, "f8", external=[("/etc/passwd", 0, 8 * int(np.prod(shape)))])


def virtual(f):
    with h5py.File("other.h5", "w") as other:
        other["z"] = f["z"][...]
    shape = f["z"].shape
    del f["z"]
    layout = h5py.VirtualLayout(shape, "f8")
    layout[...] = h5py.VirtualSource("other.h5", "z", shape)
    f.create_virtual_dataset("z", layout)


def linked(link):
    def change(f):
        with h5py.File("other.h5", "w") as other:
            other["z"] = f["z"][...]
        f["orbit_9"] = f["z"]
        del f["z"]
        f["z"] = link

    return change


def rewritten(**how):
    def change(f):
        values = f["z"][...]
        del f["z"]
        f.create_dataset("z", **{"data": values, **how})

    return change


def unwritten(shape, **how):
    def change(f):
        for name in ("z", "rate"):
            del f[name]
        f.create_dataset("z", shape, "f8", **how)

    return change


HOSTILE = {
    "external storage": (external, "another file"),
    "external times": (lambda f: external(f, "time"), "another file"),
    "external names": (lambda f: external(f, "coordinate"), "another file"),
    "virtual": (virtual, "another file"),
    "external link": (linked(h5py.ExternalLink("other.h5", "z")), "as a link"),
    "soft link": (linked(h5py.SoftLink("/orbit_9")), "as a link"),
    "compressed": (rewritten(compression="gzip"), "compressed"),
    "shuffled": (rewritten(shuffle=True, chunks=(1, 6, 2)), "compressed"),
    "chunks": (rewritten(chunks=(1, 6, 2)), "no contiguous block of this size"),
    "references": (rewritten(data=None, shape=(3, 6, 2), dtype=h5py.ref_dtype), "a type other than"),
    "region references": (rewritten(data=None, shape=(3, 6, 2), dtype=h5py.regionref_dtype), "a type other than"),
    "integers": (rewritten(dtype="i8"), "a type other than"),
    "half": (rewritten(dtype="f2"), "a type other than"),
    "gigabytes": (unwritten((10**6, 6, 2)), "declares 96000000 bytes"),
    "exabytes": (unwritten((2**56, 6, 2), chunks=(1, 6, 2)), "declares"),
    "scaled": (lambda f: f["z"].attrs.__setitem__("scale_factor", 10.0), "'scale_factor'"),
    "offset": (lambda f: f["time"].attrs.__setitem__("add_offset", 10.0), "'add_offset'"),
    "units": (lambda f: f["time"].attrs.__setitem__("units", "days since 1970-01-01"), "'units'"),
    "filled": (lambda f: f["z"].attrs.__setitem__("_FillValue", f["z"][0, 0, 0]), "'_FillValue'"),
    "filled by text": (lambda f: f["z"].attrs.__setitem__("_FillValue", "x"), "'_FillValue'"),
    "a group": (lambda f: f.create_group("more"), "not part of an orbit"),
    "a variable": (lambda f: f.create_dataset("\x1b[31m", data=1.0), "not part of an orbit"),
    "no states": (lambda f: f.__delitem__("z"), "no variable z"),
    "no times": (lambda f: f.__delitem__("time"), "no variable time"),
    "a number as format": (lambda f: f.attrs.__setitem__("format", 1), "not store text"),
    "texts as format": (lambda f: f.attrs.__setitem__("format", ["a", "b"]), "not store text"),
    "no format": (lambda f: f.attrs.__delitem__("format"), "contains no orbit"),
    "provenance of text": (lambda f: f.attrs.__setitem__("provenance", "[1]"), "not a mapping"),
    "provenance without end": (lambda f: f.attrs.__setitem__("provenance", "[" * 9999), "not a whole"),
    "broken provenance": (lambda f: f.attrs.__setitem__("provenance", "{"), "not a whole"),
    "a period of text": (lambda f: f.attrs.__setitem__("periods", '{"a": "x"}'), "period of a"),
    "a period of truth": (lambda f: f.attrs.__setitem__("periods", '{"a": true}'), "period of a"),
    "a period of nothing": (lambda f: f.attrs.__setitem__("periods", '{"x": 1}'), "period is given for 'x'"),
    "precision of nothing": (lambda f: f.attrs.__setitem__("dtypes", '{"x": "float16"}'), "types of numbers"),
    "any attribute of torch": (lambda f: f.attrs.__setitem__("dtypes", '{"z": "load"}'), "types of numbers"),
    "names alike": (lambda f: f["coordinate"].__setitem__(slice(None), "a"), "name of its own"),
    "names that write to the terminal": (lambda f: f["coordinate"].__setitem__(0, "\x1b[2J"), "printable"),
    "a name without letters": (lambda f: f["coordinate"].__setitem__(0, ""), "printable"),
    "times that stand still": (lambda f: f["time"].__setitem__(slice(None), 0.0), "strictly increase"),
}


@pytest.mark.parametrize(("change", "told"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_for_what_it_does(change, told, old, monkeypatch):
    monkeypatch.chdir(old.parent)
    with h5py.File(old, "r+") as opened:
        change(opened)
    with pytest.raises(InputError, match=told) as caught:
        Orbit.load(old)
    assert str(caught.value).isprintable()


def test_a_claim_of_gigabytes_takes_no_memory(old):
    with h5py.File(old, "r+") as opened:
        unwritten((10**8, 6, 2))(opened)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="declares 9600000000 bytes"):
        Orbit.load(old)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


def test_a_heap_that_never_ends_is_refused(old):
    """HDF5 itself goes on for ever where an object of no size stands in the heap of texts."""
    content = bytearray(old.read_bytes())
    start = content.find(b"GCOL\1")
    end = start + int.from_bytes(content[start + 8 : start + 16], "little")
    place = start + 16
    while index := int.from_bytes(content[place : place + 2], "little"):
        assert index
        place += 16 + (int.from_bytes(content[place + 8 : place + 16], "little") + 7) // 8 * 8
    assert place < end
    content[place + 8 : place + 16] = bytes(8)
    old.write_bytes(content)
    with pytest.raises(InputError, match="text is damaged"):
        Orbit.load(old)


def test_a_disk_that_is_full_is_told_in_a_sentence_and_the_process_lives_on(file):
    before = file.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    program = f"""
        import gc, resource, signal, torch
        from systems import Orbit
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, {limit[1]}))
        orbit = Orbit(torch.arange(1e5), torch.zeros(100_000, 2))
        try:
            orbit.save({str(file)!r})
        except OSError as error:
            print(error)
        del orbit
        gc.collect()
        print("alive")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sentence, alive = done.stdout.splitlines()
    assert "orbit.nc could not be written" in sentence
    assert alive == "alive"
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["orbit.nc"]


@pytest.mark.parametrize("seed", range(60))
def test_a_mutated_file_loads_the_same_numbers_or_none(seed, file):
    chance = random.Random(seed)
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 1, 4, 16])):
        content[chance.randrange(len(content))] = chance.randrange(256)
    file.write_bytes(content)
    try:
        found = Orbit.load(file)
    except InputError:
        return
    assert same(found, some_orbit(3))
