"""Compiled fields are kept on disk where that is possible, and give the same where it is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import systems
from systems.compiled import function

PROGRAM = """
import systems
from systems.compiled.traced import field_of_system
system = systems.get("double-pendulum")
z = system.sample(3, seed=0)
print(field_of_system(system)(0.0, z.numpy()).tolist() == field_of_system(system)(0.0, z.numpy()).tolist())
print(float(abs(field_of_system(system)(0.0, z.numpy()) - system.vector_field(0.0, z).numpy()).max()) < 1e-13)
"""
FORK = """
import multiprocessing, warnings
warnings.simplefilter("ignore")  # that Python forks while threads live
def field(_):
    return field_of_system(system)(0.0, z.numpy()).tolist()
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(field, range(2)) == [field(0)] * 2)
"""


def start(program, folder):
    package = str(Path(systems.__file__).parents[1])
    surroundings = {"NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": package, "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", program], env={**os.environ, **surroundings}, **pipes)


def printed(process):
    out, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return out.split()


@pytest.mark.slow
def test_two_processes_may_compile_at_once_and_a_third_finds_the_code(tmp_path):
    both = [start(PROGRAM, tmp_path) for _ in range(2)]
    assert [printed(process) for process in both] == [["True", "True"]] * 2
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "functions").glob("*.py")}
    assert len(kept) == 1
    assert list(tmp_path.rglob("systems_compiled_*.nbc"))
    assert printed(start(PROGRAM, tmp_path)) == ["True", "True"]
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "functions").glob("*.py")} == kept


def test_a_damaged_file_of_a_function_is_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(function.loops, "folder", lambda: tmp_path)
    code = "number = 3141\n"
    assert function._module(code).number == 3141
    (path,) = (tmp_path / "functions").iterdir()
    for damaged in ("", "number = 31", "number = 3142\n", "number ="):
        path.write_text(damaged)
        assert function._module(code).number == 3141
    assert path.read_text() == code


def test_where_nothing_can_be_kept_fields_are_compiled_in_memory(tmp_path):
    (tmp_path / "file").touch()
    assert printed(start(PROGRAM, tmp_path / "file" / "below")) == ["True", "True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_calls_what_its_parent_has_compiled(tmp_path):
    assert printed(start(PROGRAM + FORK, tmp_path)) == ["True", "True", "True"]
