"""No number on the command line, however absurd, ends in a traceback, in a computation without end, or in half a file."""

import importlib
import signal
import sys
import typing

import pytest
import torch

from physlearn.activations.learned import LearnedActivations
from physlearn.cli import main
from physlearn.cli.commands import COMMANDS, function_of
from physlearn.jobs import Workers

HOSTILE = [
    "0",
    "-1",
    "nan",
    "inf",
    "1e308",
    str(2**63),
    str(2**70),
    "",
    "1_0",
    "\uff11\uff10",
    "-1e-320",
    "1,1e9",
    "1" + "0" * 400,
]
SMALL = {
    "simulate": ["van-der-pol", "--time", "1"],
    "forecast": ["henon-heiles", "--model", "nn", "--orbits", "5", "--test-orbits", "2", "--time", "1", "--hidden", "4"],
    "chaos": ["henon-heiles", "--models", "nn", "--orbits", "3", "--time", "2", "--hidden", "4", "--training-orbits", "5"],
    "learn": ["van-der-pol", "--set", "orbits=5", "--no-single"],
    "compare": ["van-der-pol", "--set", "orbits=5", "--activations", "van-der-pol.safetensors"],
    "bench": [],
    "search": ["van-der-pol", "sine", "--set", "orbits=5"],
    "reproduce": ["fig3"],
    "explore": ["pendulum", "--no-browser"],
    "bifurcations": ["lorenz", "--parameter", "rho=20:28:3", "--time", "1"],
    "basins": ["henon", "--grid", "x=-1:1:3", "--time", "10"],
    "escapes": ["henon-heiles", "--energy", "0.2", "--time", "1"],
    "track": ["film.mp4"],
    "periodic-orbits": ["van-der-pol"],
    "fit": ["van-der-pol", "--data", "x.csv"],
}
COSTLY = {  # where the work begins: whoever comes there was not refused
    "physlearn.forecasting.fitting": ["train_members"],
    "physlearn.comparison.compare": ["train_ensemble"],
    "physlearn.comparison.tuning": ["train_ensemble"],
    "physlearn.studies.hamiltonian_networks.benchmarks": ["_go_on"],
    "physlearn.studies.learned_diversity": ["reproduce"],
    "physlearn.explorer": ["serve"],
    "physlearn.forecasting.long_run": ["long_run"],
    "physlearn.chaos": ["bifurcation_diagram", "basins", "escape_times", "periodic_orbit", "continue_periodic_orbit"],
    "systems.fitting.fit": ["shot"],
}


PATIENCE = 300  # seconds, on a busy machine
FILES = {
    "track": "angles.csv",
    "simulate": "orbit.nc",
    "periodic-orbits": "orbit.nc",
    "learn": "a.safetensors",
} | dict.fromkeys(("bifurcations", "basins", "escapes", "fit"), "table.csv")


class ReachedError(Exception):
    """The work would begin."""


def numeric():
    """Every option of every command that takes a number, or several."""
    for command in COMMANDS:
        function = function_of(command)
        hints = typing.get_type_hints(function, include_extras=True)
        for name, hint in hints.items():
            if typing.get_origin(hint) is not typing.Annotated:
                continue
            kind, told = hint.__origin__, hint.__metadata__[0]
            several = name in ("hidden", "set_", "surface", "markers", "device")
            if hasattr(told, "param_decls") and (several or {int, float} & {kind, *typing.get_args(kind)}):
                options = [name for name in (told.default, *(told.param_decls or ())) if str(name).startswith("--")]
                yield command, (options or ["--" + name.replace("_", "-")])[0]


@pytest.fixture
def cheap(monkeypatch, tmp_path):
    """A folder to work in, where no work is done."""
    monkeypatch.chdir(tmp_path)
    LearnedActivations(torch.linspace(-10, 10, 100).sin()[None], "sine", "by hand").save("van-der-pol.safetensors")
    (tmp_path / "film.mp4").touch()
    (tmp_path / "x.csv").write_text("t,x\n" + "".join(f"{i},{i % 3}\n" for i in range(20)))

    def reached(*_, **__):
        raise ReachedError

    for module, names in COSTLY.items():
        for name in names:
            monkeypatch.setattr(importlib.import_module(module), name, reached)
    monkeypatch.setattr(Workers, "each", reached)
    return tmp_path


@pytest.fixture
def answered(cheap, capsys, monkeypatch):
    """What a command with a number is answered with: the line that refuses it, or None where it leads to work."""

    def answered(command, option, value):
        def too_long(*_):
            raise AssertionError(f"{option} {value!r} takes more than {PATIENCE} s")

        folder = cheap / f"new{len(list(cheap.iterdir()))}"
        out = [] if command == "explore" else ["--out", str(folder / FILES.get(command, "out"))]
        monkeypatch.setattr(sys, "argv", ["physlearn", command, *SMALL[command], *out, f"{option}={value}"])
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(PATIENCE)
        code = 0
        try:
            main()
        except ReachedError:
            return None
        except SystemExit as leave:
            code = leave.code
        finally:
            signal.alarm(0)
        lines = capsys.readouterr().err.splitlines()
        if code == 0:
            return None
        assert (code, len(lines), lines[0][:11]) == (2, 1, "physlearn: "), (value, lines)
        assert not [path for path in folder.rglob("*") if path.is_file()]
        return lines[0]

    return answered


@pytest.mark.slow
@pytest.mark.parametrize(("command", "option"), sorted(set(numeric())))
def test_hostile_numbers_are_refused_in_one_line_or_lead_to_work_that_ends(command, option, answered):
    before = {"--set": "orbits=" if command in ("learn", "compare", "search") else "mu=", "--surface": "x="}.get(option, "")
    refused = [answered(command, option, before + value) for value in HOSTILE]
    assert any(refused)


@pytest.mark.parametrize(
    ("command", "option", "value", "told"),
    [
        ("simulate", "--orbits", 10**9, "GB of memory"),
        ("simulate", "--orbits", 2**70, str(10**9)),
        ("simulate", "--dt", 1e-12, "1e+12 steps"),
        ("simulate", "--time", "inf", "finite"),
        ("simulate", "--time", "nan", "finite"),
        ("simulate", "--time", 1e300, "steps"),
        ("simulate", "--seed", 2**70, str(2**62)),
        ("simulate", "--device", "meta", "cpu or cuda"),
        ("simulate", "--device", "cuda", "no device 'cuda'"),
        ("simulate", "--device", "mps", "cpu or cuda"),
        ("forecast", "--hidden", 10**9, "GB of memory"),
        ("forecast", "--hidden", 10**400, "GB of memory"),
        ("forecast", "--hidden", "1_0", "--hidden takes widths"),
        ("forecast", "--hidden", "100000,1000000", "GB of memory"),
        ("forecast", "--dt", 1e-12, "steps"),
        ("forecast", "--time", 1e9, "GB of memory"),
        ("forecast", "--orbits", 10**9, "GB of memory"),
        ("chaos", "--dt", 1e-12, "steps"),
        ("chaos", "--orbits", 10**9, "GB of memory"),
        ("compare", "--set", "orbits=1e15", "GB of memory"),
        ("compare", "--set", "orbits=1e300", "GB of memory"),
    ],
)
def test_what_cannot_be_is_refused_with_its_estimate(command, option, value, told, answered):
    if value == "cuda" and torch.cuda.is_available():
        pytest.skip("there is one")
    assert told in answered(command, option, value)


def test_a_loop_of_commands_with_reasonable_numbers_is_let_through(answered):
    for command, option, value in (("forecast", "--hidden", "64,64"), ("chaos", "--orbits", 50), ("simulate", "--seed", -3)):
        assert answered(command, option, value) is None
