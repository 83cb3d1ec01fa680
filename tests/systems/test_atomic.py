"""What is written atomically replaces a file, and nothing else."""

import errno
import os
import stat
import subprocess
from pathlib import Path

import pytest

from systems import InputError, atomic
from systems.atomic import atomically, file_at, probe


def write(path, text="new"):
    with atomically(path) as temporary:
        temporary.write_text(text)


def break_off(path, error):
    with atomically(path) as temporary:
        temporary.write_text("half")
        raise error


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(autouse=True)
def first_time(monkeypatch):
    monkeypatch.setattr(atomic, "_cleared", set())


def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("old")
    (tmp_path / "link").symlink_to(Path("there") / "file")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_text() == "new"


def test_a_link_to_nothing_makes_the_file_that_it_names(tmp_path):
    (tmp_path / "link").symlink_to("file")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "new"


def test_a_link_to_itself_is_refused(tmp_path):
    (tmp_path / "link").symlink_to("link")
    with pytest.raises(OSError, match="symbolic link"):
        write(tmp_path / "link")
    assert names(tmp_path) == ["link"]


def test_another_name_of_the_file_keeps_the_old_content(tmp_path):
    (tmp_path / "file").write_text("old")
    os.link(tmp_path / "file", tmp_path / "other")
    write(tmp_path / "file")
    assert (tmp_path / "other").read_text() == "old"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_refused_and_stays(make, tmp_path):
    make(tmp_path / "it")
    with pytest.raises(InputError, match=r"is a (folder|pipe), not a file"):
        write(tmp_path / "it")
    assert names(tmp_path) == ["it"]
    assert not (tmp_path / "it").is_file()


def test_a_device_is_refused_and_stays():
    with pytest.raises(InputError, match="/dev/null is a device"):
        write("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_path_that_holds_a_zero_byte_is_no_path():
    with pytest.raises(InputError, match="is not a path"):
        file_at("a\0b")


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_the_permissions_of_a_file_are_kept(mode, tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(mode)
    write(tmp_path / "file")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_read_only_file_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write to any file
    with pytest.raises(InputError, match="read-only"):
        write(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "old"


def test_a_name_of_any_length_that_the_disk_takes_is_written(tmp_path):
    longest = "x" * os.pathconf(tmp_path, "PC_NAME_MAX")
    write(tmp_path / longest)
    assert names(tmp_path) == [longest]
    with pytest.raises(OSError, match="too long"):
        write(tmp_path / f"{longest}x")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_is_told_in_a_sentence_and_leaves_what_was_there(code, tmp_path):
    write(tmp_path / "file", "old")
    with pytest.raises(OSError, match=r"file could not be written, and any existing file is unchanged: ") as caught:
        break_off(tmp_path / "file", OSError(code, "in the writer's words"))
    assert caught.value.errno == code
    assert (tmp_path / "file").read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_an_encoder_that_stops_is_told_in_a_sentence(tmp_path):
    with pytest.raises(OSError, match="the encoder stopped"):
        break_off(tmp_path / "film.mp4", subprocess.CalledProcessError(1, "ffmpeg"))


def test_any_other_error_passes_as_it_is(tmp_path):
    with pytest.raises(KeyError):
        break_off(tmp_path / "file", KeyError("x"))
    assert names(tmp_path) == []


def test_the_file_is_on_the_disk_before_it_has_the_name_and_the_folder_after(tmp_path, monkeypatch):
    order = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append(Path(f"/proc/self/fd/{fd}").resolve()), sync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    write(tmp_path / "file")
    temporary, *rest = order
    assert temporary.name.startswith(".physlearn-")
    assert rest == ["replace", tmp_path.resolve()]


def left_by(process):
    return f".physlearn-{atomic._machine()}-{process.pid}-00000000-00000000.nc"


def test_what_a_killed_run_left_is_cleared_and_what_a_run_is_writing_stays(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as killed, subprocess.Popen(["sleep", "60"]) as running:
        try:
            killed.kill()
            killed.wait()
            for process in (killed, running):
                (tmp_path / left_by(process)).write_text("half")
            write(tmp_path / "other")
            assert names(tmp_path) == [left_by(running), "other"]
        finally:
            running.kill()


def test_the_temporary_file_tells_whose_it_is(tmp_path):
    with atomically(tmp_path / "orbit.nc") as temporary:
        temporary.touch()
        match = atomic.TEMPORARY.fullmatch(temporary.name)
    assert match.groups() == (atomic._machine(), str(os.getpid()), atomic.RUN, ".nc")


@pytest.mark.parametrize(
    ("name", "age", "stays"),
    [
        (".physlearn-notes", 1e7, True),
        (".1234.file", 1e7, True),
        (".physlearn-00000000-1-00000000-00000000", 10, True),  # of another machine, perhaps being written
        (".physlearn-00000000-1-00000000-00000000.nc", 1e7, False),
        (f".physlearn-{atomic._machine()}-{os.getpid()}-00000000-00000000", 10, False),  # in a container, all are process 1
        (f".physlearn-{atomic._machine()}-{os.getpid()}-{atomic.RUN}-00000000", 10, True),
    ],
    ids=["a note", "another program's", "another machine's", "another machine's, old", "an earlier run's", "this run's"],
)
def test_only_files_of_runs_that_are_gone_are_cleared(name, age, stays, tmp_path):
    (tmp_path / name).touch()
    then = (tmp_path / name).stat().st_mtime - age
    os.utime(tmp_path / name, (then, then))
    write(tmp_path / "other")
    assert (tmp_path / name).exists() == stays


def test_a_probe_touches_nothing(tmp_path):
    for name in ("writable", "probe", "x"):
        (tmp_path / name).write_text("kept")
    probe(tmp_path)
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["kept"] * 3
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nowhere")
