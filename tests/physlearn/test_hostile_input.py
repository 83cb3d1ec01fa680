"""Files and arguments that are wrong, or that mean harm: nothing executes, nothing is half-written, one clear sentence.

Each row of the tables of docs/security.md has its test here, by the same name; the tests of paths are those of the command
line, in cli/test_hostile_paths.py.
"""

import json
import os
import pickle
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

import systems
from physlearn import Forecaster, LearnedActivations, activations, tasks, tensor_file
from physlearn.comparison import Comparison
from physlearn.metalearning import checkpoint
from systems import InputError, Orbit
from systems.film import track

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
SETTINGS = {"steps": 3}
READERS = {
    "activations": LearnedActivations.load,
    "model": Forecaster.load,
    "checkpoint": lambda path: checkpoint.load(path, SETTINGS),
    "orbit": Orbit.load,
    "csv": Orbit.from_csv,
    "film": track,
    "comparison": Comparison.load,
}
TENSORS = ("activations", "model", "checkpoint")
KINDS = {"activations": "learned activations", "model": "forecaster", "checkpoint": checkpoint.KIND}


class Harm:
    """Would leave a file behind, were it unpickled."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A whole file of each kind."""
    folder = tmp_path_factory.mktemp("originals")
    henon_heiles = systems.get("henon-heiles")
    orbit = henon_heiles.orbit(henon_heiles.sample(3, energy=0.1), torch.linspace(0, 2, 21))
    orbit.save(folder / "orbit")
    mix = LearnedActivations(torch.stack([torch.linspace(-10, 10, 100).sin()] * 2), "sine", "by hand")
    mix.save(folder / "activations")
    Forecaster("hnn", hidden=(4,), activation=mix.mix).fit(orbit, epochs=1, progress=False).save(folder / "model")
    checkpoint.save(folder / "checkpoint", SETTINGS, {"step": 1, "weights": torch.ones(3)})
    (folder / "csv").write_text("t,theta\n" + "".join(f"{k / 10},{k % 7}\n" for k in range(50)))
    (folder / "film").write_bytes(b"\0\0\0\x20ftypisom" + bytes(1000))
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(kind, path):
    """The one sentence with which a file is refused; it left nothing behind."""
    before = sorted(Path.cwd().rglob("*"))
    with pytest.raises((InputError, OSError)) as caught:
        READERS[kind](path)
    assert sorted(Path.cwd().rglob("*")) == before
    sentence = str(caught.value)
    assert 5 < len(sentence) < 600
    assert "Traceback" not in sentence
    return sentence


def rewritten(path, kind, settings=None, tensors=None):
    """The file with other content, and a checksum that is right: as who means harm would write it."""
    known, held = tensor_file.read(path, KINDS[kind])
    forged = Path("forged")
    tensor_file.write(forged, KINDS[kind], {**known, **(settings or {})}, held if tensors is None else tensors)
    return forged


# files of any kind


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("write", [lambda path: path.write_bytes(pickle.dumps(Harm())), lambda path: torch.save(Harm(), path)])
def test_containing_code(kind, write, here):
    write(Path("file"))
    refused(kind, "file")
    assert not Path("executed").exists()


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("content", [b"", b"# only text", os.urandom(3000), b"PK\x03\x04" + bytes(500)])
def test_something_else(kind, content, here):
    Path("file").write_bytes(content)
    refused(kind, "file")


@pytest.mark.parametrize("kind", READERS)
def test_missing_or_a_folder(kind, here):
    refused(kind, "nothing")
    refused(kind, here)


@pytest.mark.parametrize("kind", [*TENSORS, "orbit", "film"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_truncated(kind, share, originals, here):
    whole = (originals / kind).read_bytes()
    Path("file").write_bytes(whole[: int(share * len(whole))])
    refused(kind, "file")


@pytest.mark.parametrize("kind", [*TENSORS, "orbit", "csv"])
@pytest.mark.parametrize("given", [*TENSORS, "orbit", "csv"])
def test_swapped(kind, given, originals, here):
    if kind == given:
        READERS[kind](originals / kind)  # the whole one is read: what is refused is refused for its defect
    else:
        refused(kind, originals / given)


# files of tensors


@pytest.mark.parametrize("kind", TENSORS)
def test_tampered(kind, originals, here):
    content = bytearray((originals / kind).read_bytes())
    content[-3] ^= 4
    Path("file").write_bytes(bytes(content))
    assert "checksum" in refused(kind, "file")


@pytest.mark.parametrize("kind", TENSORS)
def test_wrong_version(kind, originals, here, monkeypatch):
    with monkeypatch.context() as patch:
        known, tensors = tensor_file.read(originals / kind, KINDS[kind])
        patch.setattr(tensor_file, "FORMAT", 2)
        tensor_file.write("newer", KINDS[kind], known, tensors)
    assert "has format 2" in refused(kind, "newer")


@pytest.mark.parametrize("kind", TENSORS)
@pytest.mark.parametrize("header", ["no JSON", "[1]", "{}", "3", json.dumps({"kind": 3, "settings": []})])
def test_another_header(kind, header, here):
    safetensors.torch.save_file({"values": torch.zeros(1, 9)}, "file", metadata={"physlearn": header})
    refused(kind, "file")


@pytest.mark.parametrize("kind", ["activations", "model"])
def test_wrong_shape(kind, originals, here):
    _, tensors = tensor_file.read(originals / kind, KINDS[kind])
    for name in tensors:
        refused(kind, rewritten(originals / kind, kind, tensors={**tensors, name: torch.zeros(0, 3)}))
        refused(kind, rewritten(originals / kind, kind, tensors={k: v for k, v in tensors.items() if k != name}))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("activations", {"base": "__import__('os')"}),
        ("activations", {"interval": ["a", "b"]}),
        ("activations", {"interval": [1.0]}),
        ("activations", {"kind": "evil"}),
        ("activations", {"losses": 3}),
        ("activations", {"settings": None}),
        ("activations", {"snapshot_steps": "abc"}),
        ("activations", {"snapshot_steps": [1.5]}),
        ("activations", {"base": 3}),
        ("activations", {"task": "../../etc"}),
        ("activations", {"task": "\x1b[2J"}),
        ("activations", {"task": 3}),
        ("activations", {"settings": {"variant": "\x1b]0;title\a"}}),
        ("activations", {"interval": [1.0, -1.0]}),
        ("activations", {"interval": [float("nan"), 1.0]}),
        ("activations", {"kind": ["cubic"]}),
        ("activations", {"losses": {"smoothed": ["x"]}}),
        ("activations", {"losses": {"a": [1.0], "b": []}}),
        ("activations", {"foo": 1}),
        ("model", {"model": "os.system"}),
        ("model", {"hidden": "abc"}),
        ("model", {"hidden": [-1]}),
        ("model", {"activation": 3}),
        ("model", {"activation": "learned:../../x"}),
        ("model", {"dtype": "load"}),
        ("model", {"coordinates": 5}),
        ("model", {"training": {"epochs": -1}}),
        ("model", {"training": {"evil": 1}}),
        ("model", {"history": 7}),
        ("model", {"history": {"training": ["\x1b[2J"]}}),
        ("model", {"seed": "x"}),
        ("model", {"seed": 2**70}),
        ("model", {"seed": True}),
        ("model", {"dtype": "int64"}),
        ("model", {"dtype": ["float32"]}),
        ("model", {"coordinates": [0, 1, 2, 3]}),
        ("model", {"coordinates": ["x", "x", "x", "x"]}),
        ("model", {"coordinates": ["x", "y", "p_x", "\x1b[2J"]}),
        ("model", {"coordinates": ["x", "y", "p_x", ""]}),
        ("model", {"coordinates": "abcd"}),
        ("model", {"hidden": []}),
        ("model", {"hidden": [4.0]}),
        ("model", {"hidden": [True]}),
        ("model", {"hidden": [1] * 10**5}),
        ("model", {"activation": {}}),
        ("model", {"activation": {"mixture": []}}),
        ("model", {"activation": {"mixture": ["sine"] * 10**5}}),
        ("model", {"activation": {"table": {"name": "\x1b[2J", "kind": "cubic", "low": -1.0, "high": 1.0, "points": 9}}}),
        ("model", {"activation": {"piecewise": {"name": "a", "grid": [0.0, 0.0], "types": 1, "cells": 1}}}),
        ("model", {"activation": {"piecewise": {"name": "a", "grid": [1e308, 1e308], "types": 1, "cells": 1}}}),
        ("model", {"training": None}),
        ("model", {"parameters": ["mu"]}),
        ("model", {"inputs": 3}),
        ("model", {"inputs": [f"u{k}" for k in range(10**4)]}),
        ("model", {"given_ranges": {"mu": [1.0]}}),
        ("model", {"given_ranges": {"mu": [1.0, 2.0]}}),
        ("model", {"known": "os.system"}),
        ("model", {"foo": 1}),
        ("model", {"origin": {"system": "../../etc", "parameters": {}}}),
        ("model", {"origin": {"system": "lorenz", "parameters": {}, "code": "os.system"}}),
        ("model", {"prior": {"known": {"system": "lorenz", "function": "os.system"}}}),
        ("model", {"learned": {"loss": "step", "call": "os.system"}}),
        ("model", {"members": 2}),
    ],
)
def test_forged_settings(kind, settings, originals, here):
    refused(kind, rewritten(originals / kind, kind, settings))


@pytest.mark.parametrize("kind", ["activations", "model"])
def test_missing_settings(kind, originals, here):
    known, tensors = tensor_file.read(originals / kind, KINDS[kind])
    for name in set(known) - {
        "versions",
        "periods",
        "step",
        "angles",
        "members",
        "learned",
        "inputs",
        "parameters",
        "given_ranges",
        "options",
        "delays",
        "units",
        "comparison",
        "origin",
        "prior",
    }:  # earlier versions did not write these
        tensor_file.write("file", KINDS[kind], {k: v for k, v in known.items() if k != name}, tensors)
        refused(kind, "file")


def deep(layers):
    """A mixture in a mixture in a mixture ..."""
    description = "sine"
    for _ in range(layers):
        description = {"mixture": [description]}
    return description


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"hidden": [10**9]}, "describe a model with at least"),
        ({"hidden": [12000] * 3}, "describe a model with at least 288"),
        ({"model": "hnn-separable", "hidden": [3000]}, "describe a model with at least"),
        ({"model": "linear", "coordinates": [f"z{i}" for i in range(1000)]}, "describe a model with at least"),
        ({"model": "cubic", "coordinates": [f"z{i}" for i in range(1000)]}, "describe a model with at least"),
        ({"activation": {"table": {"name": "a", "kind": "cubic", "low": -1.0, "high": 1.0, "points": 10**10}}}, "points"),
        (
            {"activation": {"mixture": [{"piecewise": {"name": "a", "grid": [0.0, 1.0], "types": 10**9, "cells": 10**9}}]}},
            "describe a model with at least",
        ),
        ({"activation": deep(200)}, "does not hold what physlearn writes|settings"),
    ],
)
def test_memory_that_is_only_talked_of(settings, told, originals, here):
    forged = rewritten(originals / "model", "model", settings)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert re.search(told, refused("model", forged))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kB


# recordings


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("t,theta\n0,1\n1,nan\n", "at least two"),
        ("t,theta\n0,1\n1,inf\n2,3\n", "finite"),
        ("t,theta\n0,1\n1,=cmd|'/C calc'!A0\n", "line 3"),
        ("t,theta\n0,1\n1\n", "line 3"),
        ("t,theta\n0,1\n", "at least two"),
        ("t,theta\n", "no rows"),
        ("t,theta\n0,1\n2,1\n1,1\n", "increase"),
        ("t,theta\n0,1\n1,1\n1,1\n", "increase"),
        ("t,t\n0,1\n1,2\n", "two columns named 't'"),
        ("t,theta\n0,1\0\n1,2\n", "line 2"),
    ],
    ids=["NaN", "infinite", "formula", "ragged", "one row", "no row", "unsorted", "duplicate times", "twice a column", "NUL"],
)
def test_a_wrong_table(content, told, here):
    Path("a.csv").write_text(content)
    assert told in refused("csv", "a.csv")


@pytest.mark.slow  # a gigabyte is written
def test_a_gigabyte_line(here):
    """A sparse file of 1 GB without an end of line is refused for its first megabyte, in a process with little memory."""
    for name, cell in (("number.csv", b"1"), ("cells.csv", b"1,")):
        with open(name, "wb") as file:
            file.write(b"t,theta\n0," + cell * 1_000_000)
            file.truncate(10**9)
    program = (
        "import resource, sys\n"
        "from systems import InputError, Orbit\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for name in ('number.csv', 'cells.csv'):\n"
        "    try:\n        Orbit.from_csv(name)\n"
        "    except InputError as error:\n        print(error)\n"
        "    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("a line of more than 1000000 characters") == 2


# arguments


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "x", None])
@pytest.mark.parametrize("name", systems.names())
def test_a_parameter_out_of_range(name, value):
    for parameter, default in systems.get(name).parameters.items():
        if isinstance(default, float):
            with pytest.raises(InputError, match=parameter):
                systems.get(name, **{parameter: value})


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "", "van-der-pol/../x", "\n", "sine\0", "learned:../../x", "learned:/etc/passwd"]
)
def test_a_name_with_odd_characters(name):
    for find in (activations.get, tasks.get, systems.get, Forecaster):
        with pytest.raises(InputError) as caught:
            find(name)
        assert re.search(r"choose one of|choose from|there are", str(caught.value))


# the page


def test_every_row_of_the_page_has_a_test():
    told = re.findall(r"^\| `(test_\w+)` \|", PAGE.read_text(), re.MULTILINE)
    files = (Path(__file__), Path(__file__).parent / "cli" / "test_hostile_paths.py")
    tests = [name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)]
    tests.remove("test_every_row_of_the_page_has_a_test")
    assert sorted(told) == sorted(tests)
