"""What rendering and tracking save is read back the same, and anything else is refused in one sentence."""

from dataclasses import fields, replace

import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from systems import InputError, Orbit
from systems.film import Film, Tracking, Truth, from_markers, render, track
from systems.film.tracking import tracking_file

T = np.linspace(0, 4, 120)
FRAMES = 40


def made(clocks, seed=0):
    """Ground truth with numbers of all digits."""
    random = np.random.default_rng(seed)
    shape = () if clocks is None else (clocks,)
    return Truth(
        t=np.sort(random.random(FRAMES)),
        exposed=np.sort(random.random(FRAMES)),
        duplicate=random.random(FRAMES) < 0.2,
        theta=random.normal(size=(*shape, FRAMES)) * 1e-3,
        upper=random.normal(size=(*shape, FRAMES, 2)) * 1e3,
        lower=random.normal(size=(*shape, FRAMES, 2)) * 1e3,
        upper_visible=random.random((*shape, FRAMES)) < 0.5,
        lower_visible=random.random((*shape, FRAMES)) < 0.5,
    )


@pytest.mark.parametrize("clocks", [None, 1, 3])
def test_a_truth_is_read_as_it_was(clocks, tmp_path):
    truth = made(clocks)
    truth.save(tmp_path / "truth.csv")
    again = Truth.load(tmp_path / "truth.csv")
    for field in fields(Truth):
        before, after = getattr(truth, field.name), getattr(again, field.name)
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "no whole CSV file"),
        (lambda text: "\0\1", "its columns must be"),
        (lambda text: text.replace("theta", "phi"), "its columns must be clock, t, exposed"),
        (lambda text: text.replace("True", "yes"), "must contain True and False"),
        (lambda text: text.replace("\n1,", "\n1,x", 1), "column t must contain numbers"),
        (lambda text: text.replace("\n1,0", "\n1,inf", 1), "column t must contain"),
        (lambda text: text.replace("\n1,0", "\n1,1", 1), "column t must be the same for all clocks"),
        (lambda text: text[: text.index("\n2,")], None),
        (lambda text: text[: text.rindex("\n2,")], "same number of frames"),
        (lambda text: text[: text.index("\n") + 1], "at least one frame"),
        (lambda text: text.replace("\n0,", "\n5,"), "counted from 0"),
        (lambda text: text.replace("\n1,", "\n1,1,", 1), "no whole CSV file"),
    ],
)
def test_a_table_that_is_no_truth_is_refused(change, message, tmp_path):
    made(3).save(tmp_path / "truth.csv")
    text = change((tmp_path / "truth.csv").read_text())
    (tmp_path / "changed.csv").write_text(text)
    if message is None:  # all frames of fewer clocks
        assert Truth.load(tmp_path / "changed.csv").theta.shape == (2, FRAMES)
        return
    with pytest.raises(InputError, match=rf"changed\.csv does not contain the ground truth of a film.*{message}") as refusal:
        Truth.load(tmp_path / "changed.csv")
    assert "\n" not in str(refusal.value)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """The tracked film of two clocks."""
    path = tmp_path_factory.mktemp("film") / "clocks.mp4"
    theta = np.stack([0.1 * np.cos(4 * T), 0.08 * np.cos(5 * T + 1)])
    markers = (("red", "blue"), ("green", "magenta"))
    orbit = Orbit(torch.tensor(T), torch.tensor(theta)[..., None], coordinates=("theta",))
    render(orbit, path, Film(size=(640, 360), markers=markers))
    return track(path)


@pytest.fixture(scope="module")
def places():
    """A pendulum from the places of its markers, with frames where they are not known."""
    theta = 0.1 * np.cos(4 * T)
    lower = 300 * np.stack([np.sin(theta), np.cos(theta)], -1)
    lower[50:53] = np.nan
    return from_markers(T, np.zeros((120, 2)), lower)


def same(tracked, again):
    pd.testing.assert_frame_equal(again.table, tracked.table, check_exact=True)
    pd.testing.assert_frame_equal(again.markers, tracked.markers, check_exact=True)
    assert repr(again.report) == repr(tracked.report)  # NaN is not equal to itself
    assert again.provenance == tracked.provenance
    assert len(again.orbits) == len(tracked.orbits)
    for one, other in zip(again.orbits, tracked.orbits, strict=True):
        assert torch.equal(one.t, other.t)
        assert torch.equal(one.z, other.z)
        assert torch.equal(one.rate, other.rate)
        assert (one.coordinates, one.periods, one.provenance) == (other.coordinates, other.periods, other.provenance)


@pytest.mark.parametrize("name", ["film", "places"])
def test_a_tracked_film_is_read_as_it_was(name, request, tmp_path):
    tracked = request.getfixturevalue(name)
    assert tracked.orbits
    tracked.save_netcdf(tmp_path / "tracked.nc")
    same(tracked, Tracking.load(tmp_path / "tracked.nc"))


def test_a_tracked_film_without_orbits_is_read_as_it_was(places, tmp_path):
    tracked = replace(places, orbits=[])
    tracked.save_netcdf(tmp_path / "tracked.nc")
    same(tracked, Tracking.load(tmp_path / "tracked.nc"))


def test_a_tracked_film_that_was_changed_is_refused(places, tmp_path):
    path = tmp_path / "tracked.nc"
    places.save_netcdf(path)
    whole = path.read_bytes()
    for part in (0.01, 0.5, 0.99):
        path.write_bytes(whole[: int(part * len(whole))])
        with pytest.raises(InputError, match=r"tracked\.nc"):
            Tracking.load(path)
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        file["theta"][0, 3] += 1e-9
    with pytest.raises(InputError, match="its checksum does not match"):
        Tracking.load(path)
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        file["elsewhere"] = h5py.ExternalLink("other.nc", "/theta")
    with pytest.raises(InputError, match="'elsewhere', which is not part of a tracked film"):
        Tracking.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.attrs.update(report="{}"), "report in a form that is not a list"),
        (lambda file: file.attrs.update(report='[{"pendulum": 0}]'), "does not have the entries"),
        (lambda file: file.attrs.update(report=file.attrs["report"].replace('"lost": 3', '"lost": 3.5')), "lost is 3.5"),
        (lambda file: file.attrs.update(provenance="[]"), "provenance in a form that is not a mapping"),
        (lambda file: file.attrs.update(orbits="[" * 100_000), "RecursionError|not a whole"),
        (lambda file: file.attrs.update(orbits="[]"), "other orbits than the 0"),
        (lambda file: file["marker_end"].write_direct(np.full(240, 2)), "neither of the ends upper and lower"),
        (lambda file: file["sample_orbit"].write_direct(np.arange(len(file["sample_orbit"]))[::-1].copy()), "other orbits"),
        (lambda file: file["sample_t"].write_direct(np.zeros(len(file["sample_t"]))), "increas"),
    ],
)
def test_a_forged_file_with_a_matching_checksum_is_refused(change, message, places, tmp_path):
    path = tmp_path / "tracked.nc"
    places.save_netcdf(path)
    with h5py.File(path, "r+") as file:
        change(file)
        form = tracking_file.FORM
        file.attrs["sha256"] = form.checksum(file.attrs, {name: file[name][()] for name in form.names})
    with pytest.raises(InputError, match=rf"tracked\.nc.*{message}"):
        Tracking.load(path)


def test_files_of_another_kind_are_refused(places, tmp_path):
    orbit = places.orbits[0]
    orbit.save(tmp_path / "orbit.nc")
    with pytest.raises(InputError, match=r"orbit\.nc contains no tracked film, because its format is 'physlearn-orbit-2'"):
        Tracking.load(tmp_path / "orbit.nc")
    places.save_netcdf(tmp_path / "tracked.nc")
    with pytest.raises(InputError, match=r"tracked\.nc contains no orbit"):
        Orbit.load(tmp_path / "tracked.nc")
    places.save_csv(tmp_path / "angles.csv")
    for load in (Tracking.load, Truth.load):
        with pytest.raises(InputError, match=r"angles\.csv"):
            load(tmp_path / "angles.csv")
        with pytest.raises(FileNotFoundError, match="nothing"):
            load(tmp_path / "nothing")
