import dataclasses
import json
import math

import numpy as np
import pandas as pd
import pytest
import safetensors.torch
import torch
from safetensors import safe_open
from scipy.interpolate import make_interp_spline
from torch.testing import assert_close

import physlearn
from physlearn import Forecaster, LearnedActivations, activations, tasks, tensor_file
from physlearn.activations import Mixture, Table
from systems import InputError

GRID = torch.linspace(-10, 10, 100, dtype=torch.float64)


@pytest.fixture
def learned():
    values = torch.stack([GRID.sin(), GRID.tanh(), GRID.square() / 9])
    return LearnedActivations(
        values,
        base="sine",
        task="van-der-pol",
        settings={"variant": "unrolled", "stages": [{"clip": None, "rate": 0.1}], "seed": 3},
        losses=pd.DataFrame({"objective": [1.0, 1 / 3], "held_out": [math.nan, -math.inf]}).rename_axis("outer_step"),
        snapshots=torch.randn(2, 3, 100, generator=torch.Generator().manual_seed(0)),
        snapshot_steps=[0, 7],
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "learned.safetensors"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["linear", "quadratic", "cubic"])
def test_a_file_gives_everything_back_bit_for_bit(learned, path, dtype, kind):
    learned = dataclasses.replace(learned, values=learned.values.to(dtype), kind=kind, interval=(-3.0, 0.1))
    learned.save(path)
    again = LearnedActivations.load(path)
    assert again.values.dtype == dtype
    assert torch.equal(again.values, learned.values)
    assert torch.equal(again.snapshots, learned.snapshots)
    pd.testing.assert_frame_equal(again.losses, learned.losses, check_exact=True)
    for name in ("base", "task", "interval", "kind", "settings", "snapshot_steps"):
        assert getattr(again, name) == getattr(learned, name)
    x = torch.linspace(-5, 5, 77, dtype=torch.float64)
    assert torch.equal(again.curves(x), learned.curves(x))
    assert repr(again) == repr(learned)


def test_without_a_history_there_is_none_in_the_file(path):
    LearnedActivations(GRID.sin()[None], "sine", "by hand").save(path)
    again = LearnedActivations.load(path)
    assert again.snapshots is None
    assert again.losses.empty
    assert again.history.dims == ("outer_step", "type", "a")
    np.testing.assert_array_equal(again.history.sel(type="type 1", outer_step=0), GRID.sin())


def test_a_file_is_tensors_and_text(learned, path):
    learned.save(path)
    assert set(safetensors.torch.load_file(path)) == {"values", "snapshots"}
    with safe_open(path, "pt") as file:
        text = json.loads(file.metadata()["physlearn"])
    assert text["settings"]["versions"]["torch"]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_refused(learned, path, share):
    learned.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match="truncated"):
        LearnedActivations.load(path)


@pytest.mark.parametrize("where", [-1, -2000, -3000])
def test_a_changed_number_is_noticed(learned, path, where):
    learned.save(path)
    content = bytearray(path.read_bytes())
    content[where] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(InputError, match="checksum"):
        LearnedActivations.load(path)


def test_a_changed_setting_is_noticed(learned, path):
    learned.save(path)
    content = path.read_bytes()
    assert content.count(b"van-der-pol") == 1
    path.write_bytes(content.replace(b"van-der-pol", b"van-der-pal"))
    with pytest.raises(InputError, match="checksum"):
        LearnedActivations.load(path)


def test_tensors_that_changed_places_are_noticed(path):
    tensor_file.write(path, "learned activations", {}, {"values": torch.zeros(1, 9), "snapshots": torch.ones(1, 9)})
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    swapped = {"values": torch.ones(1, 9), "snapshots": torch.zeros(1, 9)}
    safetensors.torch.save_file(swapped, path, metadata=metadata)
    with pytest.raises(InputError, match="checksum"):
        LearnedActivations.load(path)


def test_other_kinds_of_files_are_refused(path):
    with pytest.raises(FileNotFoundError):
        LearnedActivations.load(path)
    path.write_text("# not this")
    with pytest.raises(InputError):
        LearnedActivations.load(path)
    safetensors.torch.save_file({"values": torch.zeros(1, 9)}, path)
    with pytest.raises(InputError, match="not written by physlearn"):
        LearnedActivations.load(path)
    tensor_file.write(path, "forecaster", {}, {})
    with pytest.raises(InputError, match="of the kind 'forecaster'"):
        LearnedActivations.load(path)


def test_a_failed_save_leaves_the_old_file(learned, path):
    learned.save(path)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        dataclasses.replace(learned, settings={"x": object()}).save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_types_are_tables_and_the_mix_is_all_of_them(learned):
    assert len(learned) == 3
    assert [table.name for table in learned.types] == ["type 1", "type 2", "type 3"]
    x = torch.linspace(-12, 12, 31, dtype=torch.float64)
    blocks = learned.mix(x.unsqueeze(-1).expand(-1, 3))
    assert_close(blocks.T, torch.stack([table(x) for table in learned.types]))
    assert_close(learned.curves(x), blocks.T)


def test_changing_a_type_does_not_change_what_was_learned(learned):
    before = learned.values.clone()
    learned.types[0].values.zero_()
    learned.mix.types[1].values.zero_()
    assert torch.equal(learned.values, before)


@pytest.mark.parametrize(("kind", "degree"), [("linear", 1), ("quadratic", 2), ("cubic", 3)])
def test_interpolated_is_the_spline_of_scipy_of_that_degree(learned, kind, degree):
    other = learned.interpolated(kind)
    x = np.linspace(-9.99, 9.99, 301)
    expected = make_interp_spline(GRID.numpy(), learned.values.numpy(), k=degree, axis=1)(x)
    np.testing.assert_allclose(other.curves(torch.from_numpy(x)), expected, atol=1e-11)
    assert learned.kind == "cubic"
    assert (other.base, other.task, other.settings) == (learned.base, learned.task, learned.settings)


@pytest.mark.parametrize("x", [[0, 1], np.array([0.0, 1.0]), torch.tensor([0, 1]), torch.tensor([0.0, 1.0])], ids=repr)
def test_curves_take_whatever_is_a_row_of_numbers(learned, x):
    assert_close(learned.curves(x).double(), learned.curves(torch.tensor([0.0, 1.0], dtype=torch.float64)), atol=1e-5, rtol=0)


def test_curves_at_one_number_are_a_number_each(learned):
    assert learned.curves(torch.tensor(0.5)).shape == (3,)


def test_the_history_names_its_axes(learned):
    assert learned.history.dims == ("outer_step", "type", "a")
    assert learned.history.outer_step.values.tolist() == [0, 7]
    np.testing.assert_allclose(learned.history.a, np.linspace(-10, 10, 100), atol=1e-12)
    np.testing.assert_array_equal(learned.history.sel(outer_step=7, type="type 2"), learned.snapshots[1, 1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["henon-heiles-nn", "henon-heiles-hnn-separable", "van-der-pol"])
def test_they_serve_in_the_network_of_another_task(learned, name, dtype):
    task = dataclasses.replace(tasks.get(name, orbits=5), hidden=(8, 5), dtype=dtype)
    pairs = task.pairs("training")
    for activation in (learned.mix, *learned.types):
        model = task.network(activation)
        model.standardize(pairs.z, pairs.rate)
        rates = model(pairs.z)
        assert rates.dtype == dtype
        assert rates.isfinite().all()
        assert any(buffer.shape[-1:] == (100,) and buffer.dtype == dtype for buffer in model.buffers())


def test_they_serve_in_a_forecaster_after_a_file(learned, path, harmonic_oscillator):
    learned.save(path)
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    orbits = harmonic_oscillator.orbit(harmonic_oscillator.sample(3), t)
    both = [
        Forecaster("hnn", hidden=(6,), activation=from_.mix).fit(orbits, epochs=2, progress=False)
        for from_ in (learned, physlearn.LearnedActivations.load(path))
    ]
    assert_close(both[0].model.state_dict(), both[1].model.state_dict(), rtol=0, atol=0)


def test_two_can_be_compared_and_kept_in_sets(learned):
    same = learned
    assert learned == same
    assert learned != dataclasses.replace(learned)
    assert len({learned, learned}) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": torch.zeros(9)}, "types, points"),
        ({"values": torch.full((1, 9), math.nan)}, "finite"),
        ({"values": torch.full((1, 9), math.inf)}, "finite"),
        ({"values": torch.zeros(1, 4)}, "at least 5"),
        ({"values": torch.zeros(1, 9, dtype=torch.int64)}, "int64"),
        ({"kind": "quartic"}, "kind"),
        ({"interval": (1.0, -1.0)}, "interval"),
    ],
)
def test_what_are_no_activations_is_refused(learned, changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(learned, **changes)


def test_a_base_that_nobody_knows_is_named(learned, path):
    dataclasses.replace(learned, base="sign of the times").save(path)
    with pytest.raises(KeyError, match="sign of the times"):
        LearnedActivations.load(path)


def test_linear_ones_are_refused_by_hamiltonian_networks_and_cubic_ones_are_not(learned):
    linear = learned.interpolated("linear")
    assert not linear.mix.curved
    assert learned.mix.curved
    assert not Mixture([activations.get("sine"), *linear.types]).curved
    assert Table(GRID.sin(), kind="quadratic").curved
