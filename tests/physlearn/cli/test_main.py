"""The command line as its user has it: help, exit codes, and one line for a wrong use."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from physlearn import integrators, models, tasks

QUICK = ["--orbits", "12", "--test-orbits", "3", "--time", "3", "--epochs", "3", "--hidden", "8"]


def test_the_installed_command_answers_a_wrong_use_with_one_line_and_exit_code_2(tmp_path):
    command = [Path(sys.executable).with_name("physlearn"), "simulate", "henon-hieles", "--out", tmp_path / "orbit.nc"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "henon-heiles" in result.stderr


def test_no_arguments_are_answered_with_help(run):
    result = run()
    assert result.code == 0
    assert "forecast" in result.out
    assert len(result.out.splitlines()) > 5


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("forecast", [*models.names(), *models.names_with_memory(), *integrators.names()]),
        ("chaos", models.names()),
        ("learn", tasks.names()),
        ("compare", tasks.names()),
        ("search", tasks.names()),
    ],
)
def test_help_lists_all_that_is_registered(run, command, names):
    text = re.sub(r"-\s+", "-", run(command, "--help").out)  # lines break at hyphens
    assert set(names) <= set(re.findall(r"[\w-]+", text))


def test_ten_wrong_uses_get_one_clear_sentence_each(refused, tmp_path):
    """Those of the command line; wrong shapes, times and states are tested where the library refuses them."""
    out = tmp_path / "out"
    text = tmp_path / "text.csv"
    text.write_text("0,0.1\n1,a tenth\n")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    unsorted = tmp_path / "unsorted.csv"
    unsorted.write_text("0,0.1\n2,0.2\n1,0.3\n")
    assert "henon-heiles" in refused("forecast", "henon-hieles", "--out", out)
    assert "hnn-mechanical" in refused("forecast", "henon-heiles", "--model", "hmm", "--out", out)
    assert "separable" in refused("forecast", "henon-heiles", "--model", "hnn", "--method", "leapfrog", "--out", out, *QUICK)
    assert "escape energy 0.166667" in refused("simulate", "henon-heiles", "--energy", 0.4, "--out", out / "orbit.nc")
    assert "line 2: 'a tenth'" in refused("forecast", "clock", "--data", text, "--columns", "t,theta", "--out", out)
    assert "no rows" in refused("forecast", "clock", "--data", empty, "--out", out)
    assert "strictly increase" in refused("forecast", "clock", "--data", unsorted, "--columns", "t,theta", "--out", out)
    assert "missing.csv" in refused("forecast", "clock", "--data", tmp_path / "missing.csv", "--out", out)
    assert "cannot write" in refused("forecast", "henon-heiles", "--out", text / "below")
    assert "momenta" in refused("forecast", "van-der-pol", "--model", "hnn", "--out", out)
    assert "mu=1.5" in refused("simulate", "van-der-pol", "--set", "mu", "--out", out / "orbit.nc")
    assert "no parameter 'nu'" in refused("simulate", "van-der-pol", "--set", "nu=1", "--out", out / "orbit.nc")
    assert "no device 'cuda:77' here" in refused("simulate", "van-der-pol", "--device", "cuda:77", "--out", out / "orbit.nc")
    assert "does not sample by energy" in refused("simulate", "pendulum", "--energy", 1, "--out", out / "orbit.nc")
    assert "--out" in refused("forecast", "henon-heiles")
    assert "epochs" in refused("forecast", "henon-heiles", "--out", out, "--epochs", 0)
    assert ".png" in refused("simulate", "pendulum", "--out", out / "orbit.nc", "--plot", out / "picture.docx")
    assert ".gif or .mp4" in refused("simulate", "pendulum", "--out", out / "orbit.nc", "--animation", out / "film.avi")
    assert "did you mean" in refused("forecats").lower()
    assert "no device" in refused("forecast", "henon-heiles", "--out", out, "--device", "abacus")
    assert not list(out.glob("*")) if out.exists() else True
