"""The code that the README and the docs print runs as printed."""

import re
import shlex
from pathlib import Path

import pytest
from matplotlib import pyplot as plt
from typer.main import get_command

import systems
from physlearn import cli
from physlearn.activations.named import ACTIVATIONS
from physlearn.integrators.registry import INTEGRATORS
from physlearn.models.registry import MODELS
from physlearn.tasks.registry import TASKS
from systems.registry import SYSTEMS

ROOT = Path(__file__).parents[1]
WRITTEN = {str(path.relative_to(ROOT)): path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))}
BLOCKS = {
    name: re.findall(r"^```python\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE) for name, path in WRITTEN.items()
}
PAGES = {name: "\n".join(block for block in blocks if "PHYSLEARN_DATA" not in block) for name, blocks in BLOCKS.items()}
RECORDED = [block for blocks in BLOCKS.values() for block in blocks if "PHYSLEARN_DATA" in block]  # each stands by itself
PRINTED = {name: code for name, code in PAGES.items() if code}
REGISTRIES = (SYSTEMS, ACTIVATIONS, INTEGRATORS, MODELS, TASKS)
LONG = {  # they train or track for up to a minute, or print the code of README
    "docs/how-to/positions-only.md",
    "docs/how-to/learn-from-measurements.md",
    "docs/how-to/forecast-from-a-past.md",
    "docs/how-to/train-deeper-networks.md",
    "docs/how-to/combine-activations.md",
    "docs/measured-losses.md",
    "docs/how-to/film-anything.md",
    "docs/how-to/find-the-equations.md",
    "docs/defaults.md",
    "docs/how-to/shape-the-training.md",
    "docs/learned-activations.md",
    "docs/index.md",
    "docs/sweeps.md",
    "docs/tutorials/experimenter.md",
    "docs/tutorials/developer.md",
    "docs/film.md",
    "docs/how-to/bring-a-film.md",
}
EXTRAS = {"docs/how-to/taylor-series.md": "heyoka"}  # pages that need a package of an extra
ELSEWHERE = {"docs/adding-a-system.md"}  # with the distribution that it tells of: test_newcomer.py


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow if page in LONG else []) for page in sorted(PRINTED.keys() - ELSEWHERE)]
)
def test_the_code_of_a_page_runs_as_printed_from_top_to_bottom(page, monkeypatch, tmp_path):
    if page in EXTRAS:
        pytest.importorskip(EXTRAS[page], reason=f"{EXTRAS[page]} is not installed", exc_type=ImportError)
    monkeypatch.chdir(tmp_path)
    systems.names()  # registers the built-in systems, of which the page gets a copy
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    plt.switch_backend("Agg")
    try:
        exec(compile(PRINTED[page], page, "exec"), {"__name__": "printed"})
    finally:
        plt.close("all")


@pytest.mark.parametrize("block", RECORDED, ids=range(len(RECORDED)))
def test_code_that_needs_recordings_runs_as_printed(block, data, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "recorded", "exec"), {"__name__": "printed"})


def test_there_is_code_to_run():
    assert len(PRINTED) >= 4
    assert RECORDED


@pytest.mark.parametrize("path", WRITTEN.values(), ids=WRITTEN)
def test_local_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def printed_commands():
    """Each line of a page that calls physlearn, without what a shell does before and after it."""
    for name, path in WRITTEN.items():
        text = path.read_text().replace("\\\n", " ")
        for line in re.findall(r"^    (?:[A-Z_]+=\S+ )*physlearn (.+)$", text, re.MULTILINE):
            for part in re.sub(r"\$\(.*\)|#.*", "", line).split("&&"):  # what the shell puts in is not known here
                yield pytest.param(shlex.split(part.strip().removeprefix("physlearn ")), id=f"{name}: {part.strip()}")


HELP = "--help"  # which ends a command before it is read


@pytest.mark.parametrize("arguments", [*printed_commands()])
def test_a_printed_command_has_arguments_that_its_command_takes(arguments):
    """It is not carried out: that takes minutes to hours, and the tests of the command line do it in small."""
    group = get_command(cli.app)
    with group.make_context("physlearn", ["systems"], resilient_parsing=True) as context:
        if arguments[0].startswith("-"):  # an option of the program itself
            assert set(arguments) <= {option for parameter in group.get_params(context) for option in parameter.opts}
            return
        name, command, rest = group.resolve_command(context, arguments)
        if rest != [HELP]:
            command.make_context(name, rest, parent=context)
