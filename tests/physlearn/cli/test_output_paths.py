"""Where results may be written: never over a device, a folder, an input or each other, which is known before any work."""

import errno
import json
import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest
import torch

import systems
from physlearn import plotting
from physlearn.cli import values
from physlearn.cli.commands import COMMANDS, load
from physlearn.forecasting import files
from systems import InputError, Orbit


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_work(monkeypatch):
    """A system that must not be asked for anything: what is refused is refused before the work."""

    class Idle:
        parameters: dict[str, float] = {}  # noqa: RUF012

        def sample(self, *arguments, **options):
            raise AssertionError("this is work")

    monkeypatch.setattr(systems, "get", lambda name, **parameters: Idle())


def names(folder):
    return sorted(path.name for path in folder.iterdir())


WRITTEN = [
    (command, parameter.opts[0])
    for command in COMMANDS
    for parameter in load(command).params
    if " to write" in (getattr(parameter, "help", None) or "") and "older to write" not in parameter.help
]


@pytest.mark.parametrize(("command", "option"), WRITTEN, ids="".join)
def test_an_unknown_ending_is_refused_before_anything_else(command, option, here, refused):
    parameter = next(one for one in load(command).params if option in one.opts)
    line = refused(command, option, "result.abc")
    assert line.startswith(f"physlearn: {option} must end with .")
    assert line.endswith("which result.abc does not: give another name")
    for ending in re.findall(r"\.[a-z]+", line.partition(", which")[0]):
        assert ending in parameter.help
    assert names(here) == []


def test_every_kind_of_output_is_among_those_whose_ending_is_checked():
    assert {option for _, option in WRITTEN} == {"--out", "--plot", "--report", "--animation", "--overlay"}
    assert len(WRITTEN) > 20


@pytest.mark.parametrize(
    ("arguments", "ending"),
    [
        (["periodic-orbits", "van-der-pol", "--out", "a.csv"], ".nc"),
        (["periodic-orbits", "van-der-pol", "--continue", "mu=1:2", "--out", "a.nc"], ".csv"),
        (["track", "film.mp4", "--out", "a.nc"], ".csv"),
    ],
)
def test_an_ending_of_another_result_is_refused(arguments, ending, here, refused):
    assert f"--out must end with {ending}, which" in refused(*arguments)
    assert names(here) == []


def test_endings_in_capitals_are_known(here, run):
    assert run("simulate", "pendulum", "--time", 1, "--out", "ORBIT.NC", "--plot", "ORBIT.PNG").code == 0
    assert Path("ORBIT.PNG").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("option", "file"), [("--out", "a.nc"), ("--plot", "a.png"), ("--animation", "a.gif")])
@pytest.mark.parametrize(("make", "kind"), [(os.mkfifo, "pipe"), (os.mkdir, "folder")])
def test_what_is_no_file_is_refused(option, file, make, kind, here, no_work, refused):
    make(file)
    assert f"{file} is a {kind}" in refused("simulate", "pendulum", option, file)
    assert names(here) == [file]


def test_a_device_is_not_replaced(here, no_work, refused):
    Path("null.nc").symlink_to("/dev/null")
    assert "null.nc is a device" in refused("simulate", "pendulum", "--out", "null.nc")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_two_outputs_in_one_file_are_refused(here, no_work, refused):
    Path("a.nc").write_text("kept")
    Path("link.png").symlink_to("a.nc")
    os.link("a.nc", "hard.png")
    for plot in ("link.png", "hard.png"):
        line = refused("simulate", "pendulum", "--out", "a.nc", "--plot", plot)
        assert f"{plot} would overwrite a.nc, which is also an output" in line
    assert Path("a.nc").read_text() == "kept"


@pytest.mark.parametrize("other", ["a.png", "./a.png", "sub/../a.png", "A.png"])
def test_two_names_of_one_file_are_told_apart_from_two_files(other, here):
    Path("sub").mkdir()
    with pytest.raises(InputError, match=r"would overwrite a\.png, which is also an output"):
        files.writable_files(Path("a.png"), Path(other))
    files.writable_files(Path("a.png"), Path("b.png"))


def test_inputs_are_not_overwritten(here, refused):
    Path("film.mp4").write_text("kept")
    Path("clicks.csv").write_text("kept")
    assert "would overwrite film.mp4, which is an input" in refused("track", "film.mp4", "--overlay", "film.mp4")
    clicks = ["--points", "3,4", "--corrections", "clicks.csv", "--out", "clicks.csv"]
    assert "would overwrite clicks.csv, which is an input" in refused("track", "film.mp4", *clicks)
    assert Path("film.mp4").read_text() == "kept"
    assert Path("clicks.csv").read_text() == "kept"


def test_learned_activations_do_not_replace_their_recording(here, refused, monkeypatch):
    Path("clock.png").write_text("kept")
    monkeypatch.setattr(values, "task", lambda *arguments: None)
    line = refused("learn", "pendulum-clock", "--data", "clock.png", "--out", "clock.safetensors")
    assert "clock.png would overwrite clock.png, which is an input" in line
    assert Path("clock.png").read_text() == "kept"


@pytest.mark.parametrize("name", ["writable", "probe", "orbit.nc.tmp"])
def test_files_beside_the_output_stay_as_they_are(name, here, run):
    Path(name).write_text("kept")
    assert run("simulate", "pendulum", "--time", 1, "--out", "orbit.nc").code == 0
    assert Path(name).read_text() == "kept"
    assert names(here) == sorted([name, "orbit.nc"])


def test_a_link_is_followed(here, run):
    Path("there").mkdir()
    Path("orbit.nc").symlink_to(Path("there") / "file.nc")
    assert run("simulate", "pendulum", "--time", 1, "--out", "orbit.nc").code == 0
    assert Path("orbit.nc").is_symlink()
    assert len(Orbit.load("there/file.nc").t) == 11


@pytest.mark.parametrize("out", ["x" * 300 + ".nc", "y" * 300 + "/orbit.nc", "a\0b.nc", "/proc/orbit.nc"])
def test_a_name_that_cannot_be_is_refused_before_the_work(out, here, no_work, refused):
    assert len(refused("simulate", "pendulum", "--out", out)) < 300
    assert names(here) == []


def test_a_name_as_long_as_the_disk_takes_is_written(here, run):
    longest = "x" * (os.pathconf(here, "PC_NAME_MAX") - 3) + ".nc"
    answer = run("simulate", "pendulum", "--time", 1, "--out", longest)
    assert answer.code == 0, answer.err
    assert names(here) == [longest]


@pytest.mark.parametrize("command", ["forecast", "chaos"])
def test_a_folder_that_is_a_file_is_refused(command, here, refused):
    Path("out").write_text("kept")
    assert "cannot write to out" in refused(command, "pendulum", "--out", "out")
    assert Path("out").read_text() == "kept"


def full(*arguments, **options):
    raise OSError(errno.ENOSPC, "No space left on device")


def write_json(path):
    files.write_json(path, {"a": 1})


def write_figure(path):
    orbit = systems.get("pendulum").orbit(systems.get("pendulum").sample(1), torch.linspace(0, 1, 5))
    files.write_figure(path, plotting.phase_portrait(orbit).figure)


@pytest.mark.parametrize(("write", "name"), [(write_json, "a.json"), (write_figure, "a.png")])
def test_a_full_disk_leaves_what_was_there(write, name, here, monkeypatch):
    Path(name).write_text("kept")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"{name} could not be written, and any existing file is unchanged: No space left"):
        write(Path(name))
    assert names(here) == [name]
    assert Path(name).read_text() == "kept"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_one_line_on_the_command_line(here, refused, monkeypatch):
    """Every byte that is written meets a disk without space."""
    Path("orbit.nc").write_text("kept")
    write_bytes = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, data: write_bytes(Path("/dev/full"), data))
    line = refused("simulate", "pendulum", "--time", 1, "--out", "orbit.nc")
    assert "orbit.nc could not be written, and any existing file is unchanged: No space left on device" in line
    assert names(here) == ["orbit.nc"]
    assert Path("orbit.nc").read_text() == "kept"


def test_outputs_and_inputs_that_differ_are_accepted(here):
    files.writable_files(Path("a.nc"), None, Path("b.png"), inputs=[Path("c.csv"), None])
    with pytest.raises(InputError, match=r"b\.png would overwrite b\.png, which is an input"):
        files.writable_files(Path("b.png"), inputs=[Path("b.png")])


def test_numbers_of_numpy_and_torch_are_numbers_in_a_manifest(here):
    content = {"seed": np.int64(3), "loss": np.float32(0.5), "lost": np.float32("nan"), "all": torch.arange(2), "where": here}
    files.write_json(here / "a.json", content)
    expected = {"seed": 3, "loss": 0.5, "lost": None, "all": [0, 1], "where": str(here)}
    assert json.loads((here / "a.json").read_text()) == expected


REFUSED_LATE = [
    (["forecast", "data.csv", "--activation", "nosuch", "--out"], "new/folder"),
    (["forecast", "henon-heiles", "--epochs", "0", "--out"], "new/folder"),
    (["chaos", "henon-heiles", "--indicators", "nosuch", "--out"], "new/folder"),
    (["reproduce", "nosuch", "--out"], "new"),
    (["search", "van-der-pol", "nosuch", "--out"], "new"),
    (["simulate", "henon-heiles", "--energy", "5", "--plot"], "new/folder/orbit.png"),
]


@pytest.mark.parametrize(("arguments", "out"), REFUSED_LATE, ids=lambda given: given[0] if isinstance(given, list) else "")
def test_a_refused_command_leaves_no_folder_behind(arguments, out, here, refused):
    Path("data.csv").write_text("t,x\n" + "".join(f"{k / 10},{np.sin(k / 10)}\n" for k in range(200)))
    refused(*arguments, out)
    assert names(here) == ["data.csv"]


def test_a_refused_command_leaves_folders_that_were_there(here, refused):
    Path("old/older").mkdir(parents=True)
    refused("reproduce", "nosuch", "--out", "old")
    refused("reproduce", "nosuch", "--out", "old/new/newer")
    assert [str(path) for path in here.rglob("*")] == [str(here / "old"), str(here / "old/older")]
