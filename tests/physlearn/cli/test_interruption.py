"""Ctrl-C while the command line is still starting: one line, exit code 130."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from importlib import import_module
from pathlib import Path

import pytest

import physlearn

COMMAND = "from physlearn.cli import main\nmain()\n"
NO_SIGNALS = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signals")
ROOT = str(Path(physlearn.__file__).parents[1])


@pytest.fixture
def interrupted(tmp_path):
    """What a command ends with, and says, if Ctrl-C is pressed where `program`, run first in every process, prints "here"."""
    paths = tmp_path / "paths"
    paths.mkdir()
    (tmp_path / "physlearn").write_text(COMMAND)

    def press(command, program):
        begin = "import signal, sys, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        (paths / "sitecustomize.py").write_text(begin + textwrap.dedent(program))  # a shell's background job ignores the key
        with subprocess.Popen(
            [sys.executable, tmp_path / "physlearn", *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": f"{paths}{os.pathsep}{ROOT}"}, cwd=paths, start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdout.readline() == "here\n"
            time.sleep(0.05)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers receive it, too
            _, said = process.communicate(timeout=600)
        return process.returncode, said

    return press


@NO_SIGNALS
@pytest.mark.parametrize(  # and what is imported next when the key is pressed
    ("command", "module"),
    [
        ("systems", "typer"),
        ("systems", "numpy"),
        ("systems", "torch"),
        ("learn van-der-pol", "physlearn.tasks"),
    ],
)
def test_an_interruption_of_the_imports_is_one_line_and_130(command, module, interrupted):
    result = interrupted(
        command,
        f"""
        class Slow:
            def find_spec(self, name, *_):
                if name == {module!r}:
                    print("here", flush=True)
                    time.sleep(600)

        sys.meta_path.insert(0, Slow())
        """,
    )
    assert result == (130, "physlearn: interrupted\n")


@NO_SIGNALS
def test_an_interruption_when_the_command_is_over_ends_it_without_a_word(interrupted):
    code, said = interrupted(
        "compress",  # there is no such command
        """
        import atexit

        @atexit.register
        def slow():
            print("here", flush=True)
            time.sleep(600)
        """,
    )
    assert (code, len(said.splitlines())) == (-signal.SIGINT, 1)


@NO_SIGNALS
@pytest.mark.slow
@pytest.mark.parametrize("module", ["joblib", "numba"])  # that the workers import when the key is pressed
def test_an_interruption_while_workers_start_is_one_line_and_130(module, interrupted):
    result = interrupted(
        "search van-der-pol sine tanh --set orbits=5 --trials 2 --replicates 2 --epochs 1 --workers 2 --out found",
        f"""
        class Slow:
            def find_spec(self, name, *_):
                if name == {module!r} and "popen_loky_posix" in str(sys.orig_argv):
                    print("here", flush=True)
                    time.sleep(600)

        sys.meta_path.insert(0, Slow())
        """,
    )
    assert result == (130, "physlearn: interrupted\n")


@pytest.mark.slow
def test_workers_of_a_program_that_is_run_as_a_module_do_not_run_it_again(tmp_path):
    search = "search van-der-pol sine tanh --set orbits=5 --trials 2 --replicates 2 --epochs 1 --workers 2 --out"
    command = [sys.executable, "-m", "physlearn", *search.split(), tmp_path / "found"]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=600, env={**os.environ, "PYTHONPATH": ROOT}, check=False
    )
    assert (result.returncode, "Traceback" in result.stderr) == (0, False), result.stderr


@pytest.mark.parametrize("module", ["physlearn.__main__", "physlearn.cli.__main__"])
def test_importing_a_program_does_not_run_it(module, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["physlearn", "compress"])  # a command that does not exist
    monkeypatch.delitem(sys.modules, module, raising=False)
    import_module(module)


def test_a_program_that_imports_physlearn_keeps_its_own_answer_to_ctrl_c(run_apart):
    program = """
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored here
        import physlearn
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """
    assert run_apart(program) == "True\n"
