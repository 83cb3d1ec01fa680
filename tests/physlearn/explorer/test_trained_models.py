from dataclasses import replace

import pytest
import torch

import systems
from physlearn import Forecaster
from physlearn.activations import shipped
from physlearn.explorer import Exploration, Learning, Neurons, Shelf
from physlearn.explorer import shipped as ours
from physlearn.explorer.sections import sections, starts
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


def test_a_training_that_is_asked_for_is_watched_and_kept(tmp_path):
    pendulum, losses = systems.get("pendulum"), []
    trained = Shelf(QUICK, tmp_path).train(pendulum, "nn", SINE, lambda epoch, row: losses.append(row["validation"]))
    assert losses == trained.history["validation"].tolist()
    z = pendulum.sample(3)
    again = Shelf(QUICK, tmp_path).get(pendulum, "nn", SINE)
    assert torch.equal(again.vector_field(0.0, z), trained.vector_field(0.0, z))


def test_an_error_of_the_watcher_ends_a_training(tmp_path):
    def gone(epoch, row):
        raise BrokenPipeError

    unwatched = Shelf(QUICK, tmp_path)
    with pytest.raises(BrokenPipeError):
        unwatched.train(systems.get("pendulum"), "nn", SINE, gone)
    assert not unwatched.has(systems.get("pendulum"), "nn", SINE)


def test_the_models_of_the_package_are_those_that_the_defaults_ask_for(monkeypatch):
    monkeypatch.setattr(Forecaster, "fit", None)  # none is trained
    usual, neurons, names = Shelf(), Neurons.named(ours.ACTIVATION), set()
    for name in ours.SYSTEMS:
        system = systems.get(name)
        for model in ours.models(system):
            assert usual.get(system, model, neurons).coordinates == system.coordinates
            names.add(usual.name(system, model, neurons))
    assert names == {file.name for file in ours.FOLDER.glob("*.safetensors")}


@pytest.mark.parametrize("name", ["henon-heiles", "double-pendulum"])
def test_the_hamiltonian_network_of_the_package_holds_its_section(name):
    """At an energy in the middle of the training data, over t = 100, all energies stay within 1 % of the range of the data."""
    system, shelf = systems.get(name), Shelf(Learning(orbits=200))
    z = system.sample(100, seed=5, **shelf.learning.protocol(system).training_sample)
    h = system.hamiltonian(z)
    model = shelf.get(system, "hnn", Neurons.named(ours.ACTIVATION))
    _, (_, section) = sections(Exploration(system, z[(h - h.median()).abs().argmin()], {"hnn": model}), time=100)
    off = (system.hamiltonian(section.z) - h.median()).abs()
    assert len(section) > 100
    assert not (section.escaped | section.unresolved).any()
    assert off.max() < 0.01 * (h.max() - h.min())


def test_keplers_network_with_known_kinetic_energy_holds_the_ellipses_of_its_training_data():
    system = systems.get("kepler")
    model = Shelf().get(system, "hnn-mechanical", Neurons.named(ours.ACTIVATION))
    here = Exploration(system, system.sample(1, seed=3)[0], {"hnn-mechanical": model})
    x, y, p_x, p_y = starts(here).unbind(-1)
    trained = 1 - (x * p_y - y * p_x) ** 2 <= 0.5**2  # the squared eccentricity, for the semi-major axis 1
    _, (_, section) = sections(here, time=100)
    off = (system.hamiltonian(section.z) + 0.5).abs()
    for orbit in trained.nonzero().flatten():
        found = off[section.orbit == orbit]
        assert len(found) > 10  # a revolution takes 2 pi
        assert found.max() < 0.01 * 0.5
    assert trained.sum() > 3
