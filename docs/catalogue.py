"""One page per system, map, integrator, model and metric, written from its docstring and an example of its kind.

A docstring gives the equation and, in its section Notes, when to use the thing. What is registered without them, or has no
example, stops the build.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError
from sphinx.ext.napoleon import Config, NumpyDocstring

import systems.maps
from physlearn import metrics
from physlearn.integrators.registry import INTEGRATORS
from physlearn.models.registry import CLASSIFIERS, CONTINUING, MODELS
from systems.registry import SYSTEMS

EXAMPLES = Path(__file__).parent / "examples"
SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
USE = "Notes"
FIELDS = Config(napoleon_use_param=False, napoleon_use_rtype=False)  # pages are no signatures: lists of arguments stand alone
METRICS = {  # example by the names of the first arguments
    ("orbit", "coordinate"): "metric_of_orbit",
    ("orbit",): "metric_of_orbit",
    ("orbit", "system"): "metric_of_energy",
    ("flow", "orbit"): "metric_of_flow",
    ("forecast", "truth"): "metric_of_forecast",
}


@dataclass(frozen=True)
class Kind:
    """Things of one kind, which share a folder of pages."""

    folder: str
    title: str
    about: str
    things: Mapping[str, Any]
    examples: Mapping[str, str]


def kinds() -> tuple[Kind, ...]:
    """Return what is registered, by kind.

    Returns
    -------
    tuple of Kind
        Systems, maps, integrators, models and metrics.
    """
    every_system = {name: type(systems.get(name)) for name in SYSTEMS.names()}
    every_map = {name: type(systems.maps.get(name)) for name in systems.maps.names()}
    integrators = {name: INTEGRATORS.get(name) for name in INTEGRATORS.names()}
    by_registry = {"model": MODELS, "model_with_memory": CONTINUING, "classifier": CLASSIFIERS}
    models = {name: registry.get(name) for registry in by_registry.values() for name in registry.names()}
    measures = {name: getattr(metrics, name) for name in metrics.__all__}
    return (
        Kind(
            "systems",
            "Systems",
            "``systems.get(name, ...)`` makes a system, with its parameters as arguments.",
            every_system,
            dict.fromkeys(every_system, "system"),
        ),
        Kind(
            "maps",
            "Maps",
            "``systems.maps.get(name, ...)`` makes a map, with its parameters as arguments.",
            every_map,
            dict.fromkeys(every_map, "map"),
        ),
        Kind(
            "integrators",
            "Integrators",
            "``physlearn.integrate(flow, z0, t, method=name)`` integrates a system, a trained model or a function.",
            integrators,
            dict.fromkeys(integrators, "integrator"),
        ),
        Kind(
            "models",
            "Models",
            "``physlearn.Forecaster(name)`` makes a model that can be trained; the last two classify and cannot forecast.",
            models,
            {name: example for example, registry in by_registry.items() for name in registry.names()},
        ),
        Kind(
            "metrics",
            "Metrics",
            "Each is a function in `physlearn.metrics`.",
            measures,
            {name: _metric_example(name, function) for name, function in measures.items()},
        ),
    )


def write(folder: Path) -> None:
    """Write all pages.

    Parameters
    ----------
    folder
        Where the pages go, one folder per kind.

    Raises
    ------
    ExtensionError
        If a registered thing has no equation, does not say when to use it, or has no example.
    """
    every = kinds()
    _put(folder / "index.rst", _contents(every))
    for kind in every:
        texts = {f"{name}.rst": page(name, thing, kind.examples[name]) for name, thing in kind.things.items()}
        for name, text in {**texts, "index.rst": _index(kind)}.items():
            _put(folder / kind.folder / name, text)


def _put(path: Path, text: str) -> None:
    """Write a page, unless it is there: Sphinx reads again what has been written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def page(name: str, thing: Any, example: str) -> str:
    """Return the page of one thing.

    Parameters
    ----------
    name
        Its registered name, or that of a function.
    thing
        The class or function.
    example
        Name of the example, a file in ``docs/examples`` in which ``NAME`` stands for the name and
        ``CLASS`` for the name of the class.

    Returns
    -------
    str
        The page in reStructuredText.

    Raises
    ------
    ExtensionError
        If the docstring has no equation or does not say when to use the thing, or if there is no such example.
    """
    about, sections = _parts(thing)
    code = EXAMPLES / f"{example}.py"
    if ".. math::" not in about:
        raise ExtensionError(f"the docstring of {name} needs its equation, as '.. math::' before the list of arguments")
    if USE not in sections:
        raise ExtensionError(f"the docstring of {name} needs a section '{USE}' that says when to use it")
    if not code.exists():
        raise ExtensionError(f"{name} needs an example, {code}")
    home = _home(thing)
    role = "class" if inspect.isclass(thing) else "func"
    use = sections.pop(USE)
    sections.pop("Examples", None)  # they are tests as well, and the example below has a picture
    rest = "\n\n".join(f"{_heading(title, '-')}\n{text}" for title, text in sections.items())
    detail = str(NumpyDocstring(rest, FIELDS)).replace(":returns:", ":Returns:").replace(":raises ", ":Raises ")
    blocks = (
        _heading(name, "="),
        f".. py:currentmodule:: {home}",
        about,
        _heading("When to use it", "-"),
        use,
        _heading("Example", "-"),
        ".. plot::\n\n" + _indented(code.read_text().replace("NAME", name).replace("CLASS", thing.__name__)),
        f"{_heading('In detail', '-')}\n\n{detail}" if rest else "",
        f"The reference lists the methods of :py:{role}:`{home}.{thing.__name__}`." if role == "class" else "",
    )
    text = "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"
    return re.sub(r"(?<![`:])`(\w+)`(?!`)", lambda found: _member(found[1], thing, home), text)


def _home(thing: Any) -> str:
    """Return the module under which the reference lists a class or function: its package if that exports it."""
    package = thing.__module__.rpartition(".")[0]
    exported = getattr(import_module(package), "__all__", ())
    return package if thing.__name__ in exported and package != "systems" else thing.__module__


def _member(name: str, thing: Any, home: str) -> str:
    """Return a link, which for a method needs the class that its docstring can leave out."""
    return f"`~{home}.{thing.__name__}.{name}`" if inspect.isclass(thing) and hasattr(thing, name) else f"`{name}`"


def _parts(thing: Any) -> tuple[str, dict[str, str]]:
    """Return the text of a docstring before its sections, and the sections."""
    about, *rest = SECTION.split(inspect.getdoc(thing) or "")
    return about, dict(zip(rest[::2], rest[1::2], strict=True))


def _metric_example(name: str, function: Any) -> str:
    first = tuple(inspect.signature(function).parameters)[:2]
    return METRICS.get(first, name)


def _contents(every: Sequence[Kind]) -> str:
    rows = "\n".join(f"   * - :doc:`{kind.title} <{kind.folder}/index>`\n     - {kind.about}" for kind in every)
    pages = "\n".join(f"   {kind.folder}/index" for kind in every)
    about = "Each page has the equation, when to use it, an example with its picture, and the arguments."
    table = f".. list-table::\n   :widths: 1 3\n\n{rows}"
    return f"{_heading('Catalogue', '=')}\n\n{about}\n\n{table}\n\n.. toctree::\n   :hidden:\n\n{pages}\n"


def _index(kind: Kind) -> str:
    rows = [f"   * - :doc:`{name}`\n     - {_summary(thing)}" for name, thing in kind.things.items()]
    contents = "\n".join(f"   {name}" for name in kind.things)
    return (
        f"{_heading(kind.title, '=')}\n\n{kind.about}\n\n"
        ".. list-table::\n   :widths: 1 3\n\n" + "\n".join(rows) + f"\n\n.. toctree::\n   :hidden:\n\n{contents}\n"
    )


def _summary(thing: Any) -> str:
    first = (inspect.getdoc(thing) or "").split("\n\n")[0]
    return " ".join(re.sub(r"(?<![`:])`([~\w.]+)`(?!`)", r"``\1``", first).split())


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.splitlines())
