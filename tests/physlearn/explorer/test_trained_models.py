from dataclasses import replace

import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.activations import shipped
from physlearn.explorer import Learning, Neurons, Shelf
from systems import InputError

QUICK = Learning(orbits=5, epochs=2, hidden=(4,), polish=1)
SINE = Neurons.named("sine")


def test_a_model_is_trained_once(shelf):
    pendulum = systems.get("pendulum")
    assert shelf.get(pendulum, "hnn", SINE) is shelf.get(systems.get("pendulum"), "hnn", SINE)
    assert shelf.has(pendulum, "hnn", SINE)


def test_what_decides_a_model_decides_which_it_is(shelf):
    longer = systems.get("pendulum", gravity=2.0)
    assert not shelf.has(longer, "hnn", SINE)
    assert shelf.get(systems.get("pendulum"), "hnn", SINE) is not shelf.get(
        systems.get("pendulum"), "hnn", Neurons.named("tanh")
    )


def test_other_parameters_have_other_orbits(shelf):
    usual, heavy = (shelf.orbits(systems.get("pendulum", gravity=gravity))[0] for gravity in (1.0, 2.0))
    assert not torch.equal(usual.z, heavy.z)


def test_a_folder_keeps_models_for_the_next_time(tmp_path):
    pendulum = systems.get("pendulum")
    trained = Shelf(QUICK, tmp_path).get(pendulum, "hnn", SINE)
    (file,) = tmp_path.glob("*.safetensors")
    assert file.name.startswith("pendulum-hnn-")
    assert isinstance(Forecaster.load(file), Forecaster)
    again = Shelf(QUICK, tmp_path)
    assert again.has(pendulum, "hnn", SINE)
    z = pendulum.sample(3)
    assert torch.equal(again.get(pendulum, "hnn", SINE).hamiltonian(z), trained.hamiltonian(z))
    assert not Shelf(replace(QUICK, orbits=6), tmp_path).has(pendulum, "hnn", SINE)


@pytest.fixture
def file(tmp_path):
    Shelf(QUICK, tmp_path).get(systems.get("pendulum"), "nn", SINE)
    (file,) = tmp_path.glob("*.safetensors")
    return file


def test_a_model_whose_file_was_changed_is_trained_again(file):
    before = file.read_bytes()
    file.write_bytes(b"something else")
    again = Shelf(QUICK, file.parent)
    assert not again.has(systems.get("pendulum"), "nn", SINE)
    again.get(systems.get("pendulum"), "nn", SINE)
    assert file.read_bytes() == before


def test_a_model_without_a_seal_is_read_and_sealed(file, monkeypatch):
    (seal,) = file.parent.glob("*.seal")
    seal.unlink()
    monkeypatch.setattr(Forecaster, "fit", None)  # it is not trained
    again = Shelf(QUICK, file.parent)
    assert again.has(systems.get("pendulum"), "nn", SINE)
    assert isinstance(again.get(systems.get("pendulum"), "nn", SINE), Forecaster)
    assert seal.is_file()


def test_a_file_without_a_seal_that_holds_something_else_is_refused(file):
    (seal,) = file.parent.glob("*.seal")
    seal.unlink()
    file.write_bytes(b"something else")
    with pytest.raises(InputError, match=file.name):
        Shelf(QUICK, file.parent).get(systems.get("pendulum"), "nn", SINE)


def test_neurons_that_a_model_cannot_learn_with_are_refused(shelf):
    with pytest.raises(InputError, match="cubic"):
        shelf.get(systems.get("pendulum"), "hnn", Neurons("broken", shipped.load("mnist1d").interpolated("linear").mix))
