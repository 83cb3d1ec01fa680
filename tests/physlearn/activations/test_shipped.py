import dataclasses

import pytest
import torch
from torch.testing import assert_close

from physlearn import Forecaster, LearnedActivations, activations, models, tasks
from physlearn.activations import Mixture, shipped
from physlearn.training import Training, train
from systems import InputError

NAME = "learned:henon-heiles-hnn"


@pytest.fixture
def fitted(harmonic_oscillator):
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    orbits = harmonic_oscillator.orbit(harmonic_oscillator.sample(3), t)
    return Forecaster("hnn", hidden=(6,), activation=NAME).fit(orbits, epochs=2, progress=False)


@pytest.mark.parametrize("name", shipped.names())
def test_each_file_is_small_and_holds_what_was_learned_for_the_task_of_its_name(name):
    learned = shipped.load(name)
    assert learned.task == name
    assert name in tasks.names()
    assert learned.values.isfinite().all()
    assert learned.settings["stages"]
    assert learned.snapshots is None
    assert learned.losses.empty
    assert (shipped.FOLDER / f"{name}.safetensors").stat().st_size < 16_000


def test_the_paper_s_tasks_have_theirs():
    assert set(shipped.names()) >= {"henon-heiles-hnn", "henon-heiles-nn", "mnist1d", "pendulum-clock-hnn", "van-der-pol"}


@pytest.mark.parametrize("name", shipped.names())
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_name_gives_the_mix_in_the_default_dtype(name, dtype):
    x = torch.linspace(-12, 12, 60, dtype=dtype).view(6, 10)
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        activation = activations.get(f"learned:{name}")
    finally:
        torch.set_default_dtype(default)
    expected = shipped.load(name).mix.to(dtype)
    for function in ("value", "first", "second"):
        assert_close(getattr(activation, function)(x), getattr(expected, function)(x), rtol=0, atol=0)


def test_one_learned_type_is_its_table(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    learned = LearnedActivations(torch.linspace(-10, 10, 100).sin()[None], "sine", "alone")
    learned.save(tmp_path / "alone.safetensors")
    activation = activations.get("learned:alone")
    assert isinstance(activation, activations.Table)
    assert torch.equal(activation.values, learned.values[0])


def test_each_call_gives_tables_of_its_own():
    first, second = activations.get(NAME), activations.get(NAME)
    first.types[0].values.zero_()
    assert second.types[0].values.any()
    shipped.load("henon-heiles-hnn").values.zero_()
    assert activations.get(NAME).types[0].values.any()


@pytest.mark.parametrize("model", ["nn", "hnn", "hnn-separable", "hnn-mechanical"])
def test_every_model_is_built_with_it(model):
    built = models.build(model, 4, (7, 5), NAME)
    rates = built.vector_field(0.0, torch.randn(3, 4))
    assert rates.isfinite().all()


def test_a_network_of_its_task_learns_with_it():
    task = dataclasses.replace(tasks.get("henon-heiles-hnn", orbits=5), hidden=(8,))
    pairs = task.pairs("training")
    model = task.network(NAME)
    losses = train(model, pairs, None, Training(epochs=2), progress=False)["training"].tolist()
    assert losses[1] < losses[0]


def test_a_forecaster_gives_the_same_forecast_after_a_file(fitted, tmp_path):
    path = tmp_path / "forecaster.safetensors"
    fitted.save(path)
    again = Forecaster.load(path)
    z0, t = torch.tensor([[0.5, 0.1]], dtype=torch.float64), torch.linspace(0, 1, 6, dtype=torch.float64)
    assert torch.equal(again.forecast(z0, t).z, fitted.forecast(z0, t).z)


def test_a_saved_forecaster_does_not_need_the_shipped_file(fitted, tmp_path, monkeypatch):
    path = tmp_path / "forecaster.safetensors"
    fitted.save(path)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path / "elsewhere")
    assert isinstance(Forecaster.load(path).activation, Mixture)


@pytest.mark.parametrize("name", ["nothing", "", "sine", "../shipped/van-der-pol", "learned:van-der-pol"])
def test_what_is_not_shipped_is_a_key_error_that_lists_what_is(name):
    with pytest.raises(KeyError, match="henon-heiles-hnn, henon-heiles-nn"):
        activations.get(f"learned:{name}")


@pytest.mark.parametrize("name", [f"{NAME}+sine", f"sine+{NAME}", f"{NAME}+{NAME}"])
def test_it_is_no_part_of_a_mixture_by_name(name):
    with pytest.raises(InputError, match="by a Mixture"):
        activations.get(name)


def test_its_types_can_be_mixed_with_others():
    mix = Mixture([*shipped.load("henon-heiles-hnn").types, activations.get("sine")])
    assert mix(torch.zeros(6, dtype=torch.float64)).shape == (6,)


def test_nobody_can_register_such_a_name():
    with pytest.raises(InputError, match="learned:"):
        activations.register("learned:mine", torch.sin)


def test_an_unknown_activation_is_told_of_learned_ones():
    with pytest.raises(KeyError, match="learned:"):
        activations.get("van-der-pol")


def test_a_damaged_copy_is_refused(tmp_path):
    path = tmp_path / "copy.safetensors"
    whole = (shipped.FOLDER / "van-der-pol.safetensors").read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match="checksum"):
        LearnedActivations.load(path)
    path.write_bytes(whole[:-100])
    with pytest.raises(InputError, match="truncated"):
        LearnedActivations.load(path)


def test_without_its_history_it_is_the_same(tmp_path):
    learned = dataclasses.replace(shipped.load("van-der-pol"), snapshots=torch.zeros(1, 2, 100), snapshot_steps=[4])
    bare = learned.without_history()
    assert bare.snapshots is None
    assert (bare.base, bare.task, bare.kind, bare.settings) == (learned.base, learned.task, learned.kind, learned.settings)
    assert torch.equal(bare.values, learned.values)
    assert learned.snapshots is not None
