"""Files of models and activations: what is loaded is what was saved, or it is refused before anything is built."""

import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open

import systems
from physlearn import Forecaster, LearnedActivations, activations, models, tensor_file
from physlearn.forecasting import stored
from systems import InputError

T = torch.linspace(0, 2, 21)
READERS = {"forecaster": Forecaster.load, "learned activations": LearnedActivations.load}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    orbit = systems.get("henon-heiles").orbit(systems.get("henon-heiles").sample(3, energy=0.1), T)
    mix = LearnedActivations(torch.stack([torch.linspace(-10, 10, 100).sin()] * 2), "sine", "by hand")
    mix.save(folder / "learned activations")
    Forecaster("hnn", hidden=(4,), activation=mix.mix).fit(orbit, epochs=1, progress=False).save(folder / "forecaster")
    return folder


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", READERS)
def test_weights_that_are_not_finite_are_refused(kind, value, files, tmp_path):
    settings, tensors = tensor_file.read(files / kind, kind)
    for name, tensor in tensors.items():
        changed = tensor.clone()
        changed.view(-1)[-1] = value
        tensor_file.write(tmp_path / "forged", kind, settings, {**tensors, name: changed})
        if name != "snapshots":
            with pytest.raises(InputError, match="finite"):
                READERS[kind](tmp_path / "forged")


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64, torch.bool])
def test_weights_of_another_kind_are_refused(dtype, files, tmp_path):
    settings, tensors = tensor_file.read(files / "forecaster", "forecaster")
    for name, tensor in tensors.items():
        tensor_file.write(tmp_path / "forged", "forecaster", settings, {**tensors, name: tensor.to(dtype)})
        with pytest.raises(InputError, match="floating"):
            Forecaster.load(tmp_path / "forged")


def saved():
    """All models, and networks with one and two layers of neurons of one and two types."""
    for model in models.names():
        networks = [((5,), "sine+tanh"), ((3, 4), "learned:van-der-pol")]
        yield from ((model, *network) for network in [((5,), "sine"), *(networks if not models.find(model).baseline else [])])


@pytest.mark.parametrize(("model", "hidden", "activation"), list(saved()))
def test_every_model_that_is_saved_is_loaded(model, hidden, activation, tmp_path):
    """Every model that is saved is loaded; the bound is by counting, and holds for each of them."""
    orbit = systems.get("henon-heiles").orbit(systems.get("henon-heiles").sample(3, energy=0.1), T)
    forecaster = Forecaster(model, hidden=hidden, activation=activation)
    forecaster.fit(orbit, epochs=1, progress=False).save(tmp_path / "file")
    again = Forecaster.load(tmp_path / "file")
    z = orbit.z[:, 0]
    assert torch.equal(again.vector_field(0.0, z), forecaster.vector_field(0.0, z))


def forged(path, to, settings=None, tensors=None):
    """The forecaster in a file of other content with the right checksum."""
    known, held = tensor_file.read(path, "forecaster")
    tensor_file.write(to, "forecaster", {**known, **(settings or {})}, {**held, **(tensors or {})})
    return Forecaster.load(to)


@pytest.mark.parametrize(
    ("model", "options", "others"),
    [
        ("echo-state", {"units": 50}, [{"units": 10**6}, {"units": 49}, {"connections": 7}, {"spectral_radius": 3.0}]),
        ("next-generation-reservoir", {"delays": 2}, [{"delays": 3}, {"degree": 9}, {"ridge": 0.5}]),
        ("polynomial", {"degree": 3}, [{"degree": 2}]),
        ("polynomial-hamiltonian", {"degree": 4}, [{"degree": 3}]),
    ],
)
def test_options_that_are_not_those_of_the_tensors_are_refused(model, options, others, tmp_path):
    pendulum = systems.get("pendulum")
    orbit = pendulum.orbit(pendulum.sample(3, seed=0), torch.linspace(0, 12, 121))
    Forecaster(model, **options).fit(orbit, progress=False).save(tmp_path / "file")
    whole = tensor_file.read(tmp_path / "file", "forecaster")[0]["options"]
    forged(tmp_path / "file", tmp_path / "same", {"options": whole})
    for other in others:
        with pytest.raises(InputError, match="options"):
            forged(tmp_path / "file", tmp_path / "forged", {"options": {**whole, **other}})


@pytest.mark.parametrize("model", [*models.names(), *models.names_with_memory()])
def test_tensors_of_another_type_than_the_declared_one_are_refused(model, tmp_path):
    orbit = systems.get("henon-heiles").orbit(systems.get("henon-heiles").sample(3, energy=0.1), torch.linspace(0, 9, 91))
    options = {"units": 20, "spectral_radius": 0.2, "input_scale": 0.5} if model == "echo-state" else {}
    Forecaster(model, hidden=(4,), **options).fit(orbit, epochs=1, polish=0, progress=False).save(tmp_path / "file")
    _, tensors = tensor_file.read(tmp_path / "file", "forecaster")
    for name, tensor in tensors.items():
        if not name.startswith("units."):
            other = torch.float16 if tensor.dtype == torch.float64 else torch.float64
            with pytest.raises(InputError, match="type"):
                forged(tmp_path / "file", tmp_path / "forged", tensors={name: tensor.to(other)})


def test_factors_that_are_not_those_of_the_model_are_refused(tmp_path):
    orbit = systems.get("henon-heiles").orbit(systems.get("henon-heiles").sample(3, energy=0.1), T)
    Forecaster("cubic").fit(orbit, progress=False).save(tmp_path / "file")
    factors = tensor_file.read(tmp_path / "file", "forecaster")[1]["factors"]
    with pytest.raises(InputError, match="factors"):
        forged(tmp_path / "file", tmp_path / "forged", tensors={"factors": factors.flip(1)})


def test_the_system_of_the_orbits_has_a_name_that_a_file_can_hold():
    orbit = systems.get("henon-heiles").orbit(systems.get("henon-heiles").sample(3, energy=0.1), T)
    other = systems.Orbit(orbit.t, orbit.z, orbit.rate, orbit.coordinates, {"system": "../../etc"})
    with pytest.raises(InputError, match="without path separators"):
        Forecaster("linear").fit(other, progress=False)


@pytest.mark.parametrize("entry", ["code", "formats"])
def test_a_header_has_no_other_entries(entry, files, tmp_path):
    told, numbers = header(files / "forecaster")
    content = json.loads(told["__metadata__"]["physlearn"]) | {entry: "os.system"}
    tensors = tensor_file.read(files / "forecaster", "forecaster")[1]
    content.pop("sha256")
    content["sha256"] = tensor_file._checksum(json.dumps(content), tensors)
    told["__metadata__"]["physlearn"] = json.dumps(content)
    text = json.dumps(told).encode()
    (tmp_path / "file").write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    with pytest.raises(InputError, match=f"unknown entry '{entry}'"):
        tensor_file.read(tmp_path / "file", "forecaster")


def test_the_size_of_a_network_is_counted_from_its_widths():
    """Two coordinates, so at least one input: 1 5 + 5 7 weights and 5 + 7 biases, and the two coordinates' names."""
    settings = {"model": "hnn", "coordinates": ["q", "p"], "seed": 0, "dtype": "float32", "history": {}, "training": {}}
    settings |= {"hidden": [5, 7], "activation": "sine"}
    stored.check(settings, {"a": torch.zeros(27), "b": torch.zeros(27)})
    with pytest.raises(InputError, match="at least 54 numbers, but the file has 53"):
        stored.check(settings, {"a": torch.zeros(27), "b": torch.zeros(26)})


def test_a_table_has_a_size_that_its_spline_can_be_found_for():
    with pytest.raises(InputError, match="at most 2000 points"):
        activations.Table(torch.zeros(2001))


def header(path):
    """The header of a safetensors file, as a dictionary, and the bytes of its numbers."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"shape": [3, 2]}, (torch.float32, (3, 2))),
        ({"dtype": "I32"}, (torch.int32, (2, 3))),
        ({"shape": [6]}, (torch.float32, (6,))),
    ],
)
def test_the_checksum_knows_shapes_and_types(change, now, tmp_path):
    """The same bytes under another shape or type are other numbers."""
    tensor_file.write(tmp_path / "file", "numbers", {}, {"a": torch.arange(6.0).reshape(2, 3)})
    told, numbers = header(tmp_path / "file")
    told["a"] |= change
    text = json.dumps(told).encode()
    (tmp_path / "file").write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    with safe_open(tmp_path / "file", framework="pt") as file:  # to others it is a whole file
        found = file.get_tensor("a")
    assert (found.dtype, tuple(found.shape)) == now
    with pytest.raises(InputError, match="checksum"):
        tensor_file.read(tmp_path / "file", "numbers")


def test_the_checksum_knows_names(tmp_path):
    tensor_file.write(tmp_path / "file", "numbers", {}, {"a": torch.zeros(2), "b": torch.ones(2)})
    told, numbers = header(tmp_path / "file")
    told["a"], told["b"] = told["b"], told["a"]
    text = json.dumps(told).encode()
    (tmp_path / "file").write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    with pytest.raises(InputError, match="checksum"):
        tensor_file.read(tmp_path / "file", "numbers")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64, torch.bool, torch.int64])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (1, 0, 2)])
def test_tensors_of_every_type_and_shape_come_back(dtype, shape, tmp_path):
    written = torch.ones(shape).to(dtype)
    settings = {"seed": np.int64(3), "rate": np.float32(0.5), "hidden": (4, np.int32(5)), "list": np.arange(2)}
    tensor_file.write(tmp_path / "file", "numbers", settings, {"a": written})
    found, tensors = tensor_file.read(tmp_path / "file", "numbers")
    assert found == {"seed": 3, "rate": 0.5, "hidden": [4, 5], "list": [0, 1]}
    assert tensors["a"].dtype == dtype
    assert torch.equal(tensors["a"], written)


@pytest.mark.parametrize("name", ["van-der-pol", "henon-heiles-nn", "henon-heiles-hnn", "pendulum-clock-hnn", "mnist1d"])
def test_what_the_package_ships_is_read(name):
    folder = Path(activations.__file__).parent / "shipped"
    assert LearnedActivations.load(folder / f"{name}.safetensors").task.startswith(name)


def test_losses_may_name_the_stage_of_the_learning(tmp_path):
    losses = pd.DataFrame({"stage": ["one", "two"], "smoothed": [1.0, float("nan")]}).rename_axis("outer_step")
    values = torch.linspace(-1, 1, 100)[None]
    LearnedActivations(values, "sine", "by hand", losses=losses).save(tmp_path / "file")
    pd.testing.assert_frame_equal(LearnedActivations.load(tmp_path / "file").losses, losses)


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("seed", range(40))
def test_a_mutated_file_is_refused(kind, seed, files, tmp_path):
    chance = random.Random(seed)
    content = bytearray((files / kind).read_bytes())
    for _ in range(chance.choice([1, 1, 4, 16])):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    (tmp_path / "file").write_bytes(content)
    if bytes(content) != (files / kind).read_bytes():
        with pytest.raises(InputError):
            READERS[kind](tmp_path / "file")
