"""Ctrl-C while the command line is still starting: one line, exit code 130."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import physlearn

COMMAND = "from physlearn.cli import main\nmain()\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals")
@pytest.mark.parametrize(  # and what is imported next when the key is pressed
    ("command", "module"),
    [
        ("systems", "typer"),
        ("systems", "numpy"),
        ("systems", "torch"),
        ("learn van-der-pol", "physlearn.tasks"),
        ("learn --help", "physlearn.tasks"),
    ],
)
def test_an_interruption_of_the_imports_is_one_line_and_130(command, module, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(f"""
import signal, sys, time

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores the key

class Slow:
    def find_spec(self, name, *_):
        if name == {module!r}:
            print("here", flush=True)
            time.sleep(600)

sys.meta_path.insert(0, Slow())
""")
    script = tmp_path / "physlearn"
    script.write_text(COMMAND)
    path = os.pathsep.join([str(tmp_path / "paths"), str(Path(physlearn.__file__).parents[1])])
    (tmp_path / "paths").mkdir()
    (tmp_path / "sitecustomize.py").rename(tmp_path / "paths" / "sitecustomize.py")
    with subprocess.Popen(
        [sys.executable, script, *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path / "paths",
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "here\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=600)
    assert (process.returncode, said) == (130, "physlearn: interrupted\n")


def test_a_program_that_imports_physlearn_keeps_its_own_answer_to_ctrl_c(run_apart):
    program = "import signal, physlearn; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert run_apart(program) == "True\n"
