"""The command line as its user has it: help, exit codes, and one line for a wrong use."""

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from physlearn import __version__, integrators, models, tasks
from physlearn.cli import registered
from physlearn.cli.commands import COMMANDS, load

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


REGISTRIES = """
import json, systems
from physlearn import activations, explorer, integrators, metalearning, models, tasks
from physlearn.forecasting.indicators import INDICATORS
from physlearn.studies import learned_diversity
from physlearn.studies.hamiltonian_networks.benchmarks import BENCHMARKS

print(json.dumps({
    "activations": activations.names(),
    "benchmarks": list(BENCHMARKS),
    "epochs of exploration": [str(explorer.Learning.epochs)],
    "figures": learned_diversity.names(),
    "indicators": list(INDICATORS),
    "integrators": integrators.names(),
    "maps": systems.maps.names(),
    "memories": models.names_with_memory(),
    "models": models.names(),
    "orbits of exploration": [str(explorer.Learning.orbits)],
    "systems": systems.names(),
    "tasks": tasks.names(),
    "variants": list(metalearning.variants()),
}))
"""


@pytest.fixture(scope="module")
def registries():
    """The names in each registry, in a process of its own: other tests register more."""
    return json.loads(subprocess.run([sys.executable, "-c", REGISTRIES], capture_output=True, check=True).stdout)


@pytest.mark.parametrize("registry", registered.BUILT_IN)
def test_the_names_in_help_texts_are_those_of_the_registry(registry, registries):
    assert registered.names(registry) == registries[registry]


def test_models_of_other_distributions_are_listed(monkeypatch):
    theirs = {"physlearn.models": [EntryPoint("theirs", "their_package:Model", "physlearn.models")]}
    monkeypatch.setattr(registered, "entry_points", lambda group: theirs.get(group, []))
    assert registered.names("models")[-2:] == ["sparse-hamiltonian", "theirs"]
    assert registered.completing("models")("th") == ["theirs"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_each_command_can_be_typed_and_is_shown(command, run):
    program, name, *arguments = shlex.split(COMMANDS[command].example)
    assert (program, name) == ("physlearn", command)
    load(name).make_context(name, arguments)  # raises for an unknown option or a missing argument
    assert run(command, "--help").out.endswith(f"Example:\n  {COMMANDS[command].example}\n")


def test_the_version_is_shown(run):
    assert run("--version").out == f"physlearn {__version__}\n"


def test_a_quiet_command_prints_nothing_and_the_next_one_does(run, tmp_path):
    command = ["simulate", "pendulum", "--time", 1, "--out", tmp_path / "orbit.nc"]
    quiet, loud = run(*command, "--quiet"), run(*command)
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert "written" in loud.out
    assert json.loads(run(*command, "--quiet", "--json").out)["written"] == [str(tmp_path / "orbit.nc")]


def test_the_shell_completes_commands_and_names():
    program = Path(sys.executable).with_name("physlearn")

    def completed(words):
        words = words.split()
        how = {"_PHYSLEARN_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
        result = subprocess.run([program], capture_output=True, text=True, timeout=600, env={**os.environ, **how})
        return result.stdout.split()

    assert completed("physlearn fore") == ["forecast"]
    assert completed("physlearn simulate hen") == ["henon-heiles"]
    assert completed("physlearn forecast pendulum --model hnn-s") == ["hnn-separable", "hnn-splines"]


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["simulate", "pendulm"], "pendulum"),
        (["basins", "hennon", "--grid", "x=0:1:2"], "henon"),
        (["forecast", "pendulum", "--model", "hnn-seperable", "--out", "x"], "hnn-separable"),
        (["forecast", "pendulum", "--model", "nn", "--method", "leepfrog", "--out", "x"], "leapfrog"),
        (["forecast", "pendulum", "--activation", "sinus", "--out", "x"], "sine"),
        (["learn", "van-der-pool"], "van-der-pol"),
    ],
    ids=["system", "map", "model", "integrator", "activation", "task"],
)
def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(refused, arguments, meant, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f"(did you mean {meant!r}?)" in refused(*arguments)


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
