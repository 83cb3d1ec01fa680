"""The checksum of a file covers everything that decides what its bytes mean."""

import json
import struct

import pytest
import torch

from physlearn import tensor_file
from systems import InputError


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "some.safetensors"
    tensors = {"weights": torch.arange(6, dtype=torch.float32).reshape(2, 3), "bias": torch.arange(3, dtype=torch.float32)}
    tensor_file.write(path, "some", {"seed": 1}, tensors)
    return path


def edit(path, change):
    """Change the header of a safetensors file, whose length its first eight bytes tell; the data stay as they are."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def test_what_was_read_does_not_change_with_the_file(path):
    _, tensors = tensor_file.read(path, "some")
    path.write_bytes(bytes(path.stat().st_size))  # in place, as `cp` would
    assert tensors["bias"].tolist() == [0.0, 1.0, 2.0]


def swap_names(header):
    header["weight"] = header.pop("weights")


def set_to(name, key, value):
    def change(header):
        header[name][key] = value

    return change


def test_a_file_whose_header_is_written_anew_is_still_whole(path):
    before = tensor_file.read(path, "some")
    edit(path, lambda header: None)
    settings, tensors = tensor_file.read(path, "some")
    assert settings == before[0] == {"seed": 1}
    assert all(torch.equal(tensors[name], tensor) for name, tensor in before[1].items())


@pytest.mark.parametrize(
    "change",
    [
        set_to("weights", "shape", [3, 2]),
        set_to("weights", "shape", [6]),
        set_to("bias", "shape", [1, 3]),
        set_to("weights", "dtype", "I32"),
        set_to("bias", "dtype", "I32"),
        swap_names,
    ],
    ids=["transposed", "flat", "another axis", "integers", "integers of the other", "another name"],
)
def test_other_shapes_types_and_names_of_the_same_bytes_are_refused(path, change):
    edit(path, change)
    with pytest.raises(InputError, match="checksum"):
        tensor_file.read(path, "some")


def test_two_tensors_do_not_change_places_unseen(tmp_path):
    path = tmp_path / "two.safetensors"
    tensor_file.write(path, "some", {}, {"a": torch.zeros(2), "b": torch.ones(2)})

    def exchange(header):
        header["a"], header["b"] = header["b"], header["a"]

    edit(path, exchange)
    with pytest.raises(InputError, match="checksum"):
        tensor_file.read(path, "some")
