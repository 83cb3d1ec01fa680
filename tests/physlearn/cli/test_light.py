"""The command line starts light: what is slow to import is imported by the command that needs it."""

import os
import subprocess
import sys

import pytest

from physlearn.cli.commands import COMMANDS, function_of

HEAVY = ("torch", "numba", "pandas", "matplotlib", "xarray", "scipy", "cv2", "optuna")


def imported_by(*arguments):
    """The heavy modules that a run of the command line imports, and its answer."""
    program = f"""
import sys
from physlearn.cli import main
sys.argv = ["physlearn", *{list(arguments)!r}]
try:
    main()
finally:
    print("imported:", *[name for name in {HEAVY!r} if name in sys.modules])
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, env={**os.environ})
    *answer, last = result.stdout.splitlines()
    return last.removeprefix("imported:").split(), "\n".join(answer), result


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["--version"], *([command, "--help"] for command in COMMANDS)], ids=" ".join
)
def test_help_imports_nothing_heavy(arguments):
    heavy, answer, result = imported_by(*arguments)
    assert result.returncode == 0, result.stderr
    assert heavy == []
    assert "--help" in answer or arguments == ["--version"]


@pytest.mark.parametrize("arguments", [["forecats"], *([command, "--nonesuch"] for command in COMMANDS)], ids=" ".join)
def test_a_wrong_command_or_option_is_refused_before_anything_heavy_is_imported(arguments):
    heavy, answer, result = imported_by(*arguments)
    assert (result.returncode, answer, heavy) == (2, "", [])
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_has_the_first_line_of_their_own_help(command, run):
    function = function_of(command)
    summary = COMMANDS[command].summary
    assert function.__doc__.splitlines()[0] == summary
    assert f"  {command:<{max(map(len, COMMANDS))}}  {summary}\n" in run("--help").out  # whole, on one line


def test_the_package_runs_as_a_module():
    result = subprocess.run([sys.executable, "-m", "physlearn", "systems"], capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    assert "henon-heiles" in result.stdout
