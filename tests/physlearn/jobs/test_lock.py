"""A second run in one place is refused in a sentence that names the first."""

import os
import sys

import pytest

from physlearn.comparison import search
from physlearn.jobs import Workers, alone_in, alone_on
from physlearn.jobs.lock import Mark
from systems import InputError


def test_the_second_run_is_told_who_the_first_is(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/physlearn", "search", "a\x1b[31m"])
    with alone_in(tmp_path), pytest.raises(InputError) as raised, alone_in(tmp_path):
        pass
    message = str(raised.value)
    assert f"another run is at work in {tmp_path} (process {os.getpid()} on " in message
    assert "physlearn search a[31m)" in message
    assert "\x1b" not in message


def test_a_lock_that_is_given_back_leaves_nothing_and_can_be_had_again(tmp_path):
    for _ in range(2):
        with alone_in(tmp_path), alone_on([tmp_path / "a.txt", tmp_path / "b.txt"]):
            assert len(list(tmp_path.iterdir())) == 6
        assert not list(tmp_path.iterdir())


def test_a_file_is_locked_and_its_neighbours_are_not(tmp_path):
    a, b, c = (tmp_path / name for name in "abc")
    with alone_on([a, b]):
        with pytest.raises(InputError, match=f"at work on {b}"), alone_on([c, b]):
            pass
        with alone_on([c]):
            pass


def test_a_mark_is_read_in_its_folder_and_nowhere_else(tmp_path):
    with alone_in(tmp_path) as mark:
        assert mark.here
        assert not Mark(tmp_path / "elsewhere" / ".lock.holder", mark.text).here
        assert not Mark(mark.path, "another run").here
    assert not mark.here


@pytest.mark.parametrize(
    "command",
    [
        ["forecast", "pendulum", "--out", "."],
        ["chaos", "henon-heiles", "--out", "."],
        ["bench", "--out", "."],
        ["bench", "--speed", "--out", "."],
        ["search", "van-der-pol", "sine", "--set", "orbits=5", "--out", "."],
        ["reproduce", "fig3", "--out", ".."],
    ],
)
def test_commands_refuse_a_folder_in_which_another_run_is_at_work(command, refused, tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with alone_in(folder):
        assert "another run is at work in " in refused(*command)


def test_learning_refuses_a_file_that_another_run_learns(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with alone_on([tmp_path / "van-der-pol-3.safetensors"]):
        assert "another run is at work on van-der-pol-3.safetensors" in refused(
            "learn", "van-der-pol", "--set", "orbits=5", "--meta-seeds", 5
        )


def test_a_database_that_is_none_is_told_of_in_one_sentence(tmp_path):
    from physlearn import tasks

    (tmp_path / "search.db").write_text("not a database, though long enough to be looked at" * 100)
    with pytest.raises(OSError, match=r"the search could not use .*search\.db.*: file is not a database"):
        search(tasks.get("van-der-pol", orbits=5), ["sine"], tmp_path, trials=1, workers=Workers(), progress=False)
