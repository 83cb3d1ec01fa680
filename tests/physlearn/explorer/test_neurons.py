import pickle

import pytest
import torch
from torch.testing import assert_close

from physlearn import LearnedActivations
from physlearn.activations import shipped
from physlearn.explorer import Neurons
from systems import InputError, UnknownNameError

A = torch.linspace(-3, 3, 61, dtype=torch.float64)
GRID = torch.linspace(-10, 10, 100, dtype=torch.float64)


@pytest.fixture
def learned():
    return LearnedActivations(torch.stack([GRID.sin(), GRID.tanh()]), base="sine", task="by hand")


@pytest.fixture
def data(learned, tmp_path):
    learned.save(tmp_path / "mine.safetensors")
    return (tmp_path / "mine.safetensors").read_bytes()


@pytest.mark.parametrize("name", Neurons.names())
def test_all_that_are_offered_have_curves(name):
    curves = Neurons.named(name).curves(A)
    assert curves
    assert all(curve.shape == A.shape and curve.isfinite().all() for curve in curves.values())


def test_those_that_are_shipped_are_offered_and_have_a_curve_for_each_type():
    assert {f"learned:{name}" for name in shipped.names()} <= set(Neurons.names())
    learned = shipped.load("henon-heiles-hnn")
    curves = Neurons.named("learned:henon-heiles-hnn").curves(A)
    assert list(curves) == ["type 1", "type 2"]
    assert_close(torch.stack(list(curves.values())), learned.curves(A), check_dtype=False, atol=1e-6, rtol=0)


def test_a_file_is_read_as_the_library_reads_it(data, learned):
    neurons = Neurons.of_file("C:\\downloads\\mine.safetensors", data)
    assert neurons.name == "file:mine.safetensors"
    assert_close(torch.stack(list(neurons.curves(A).values())), learned.curves(A))


def test_what_neurons_compute_decides_their_digest(data):
    one, other = Neurons.of_file("one.safetensors", data), Neurons.of_file("other.safetensors", data)
    assert one.digest == other.digest
    assert one.digest != Neurons.named("sine").digest


class Mischief:
    def __reduce__(self):
        return print, ("executed",)


@pytest.mark.parametrize("content", [b"", b"text", b"\x00" * 100, pickle.dumps(Mischief())])
def test_a_file_that_holds_anything_else_is_refused_by_its_own_name_and_never_executed(content, capsys):
    with pytest.raises(InputError, match=r"^mine\.safetensors ") as refused:
        Neurons.of_file("../../mine.safetensors", content)
    assert "/tmp" not in str(refused.value)
    assert capsys.readouterr().out == ""


def test_a_file_that_was_changed_is_refused(data):
    with pytest.raises(InputError, match="changed after it was written"):
        Neurons.of_file("mine.safetensors", data[:-1] + bytes([data[-1] ^ 1]))


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(UnknownNameError, match="sine"):
        Neurons.named("sin")
