"""Sphinx configuration."""

import pkgutil
import re
import shutil
from importlib import import_module
from pathlib import Path
from pydoc import locate
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

import physlearn

project = "physlearn"
author = "The physlearn developers"
copyright = "2026, The physlearn developers"  # noqa: A001 - Sphinx reads this name
version = release = physlearn.__version__
HERE = Path(__file__).parent
INTERNAL = {"physlearn.cli", "physlearn.training.fused"}  # the command line, and loops with names for each other alone

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "matplotlib.sphinxext.plot_directive",
]
html_theme = "furo"
exclude_patterns = ["_build"]
nb_execution_mode = "off"  # notebooks are committed with their outputs, and run by their own tests
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2
autodoc_typehints = "none"  # shapes are told in the docstrings; rendered jaxtyping hints are unreadable
autodoc_member_order = "bysource"
default_role = "py:obj"  # names in docstrings are links
nitpicky = True
nitpick_ignore_regex = [("py:class", r"(?!physlearn\.|systems\.).*")]  # words for types, and types of other projects
nitpick_ignore = [  # internal classes that signatures and base classes name
    ("py:class", "physlearn.chaos.periodic_orbits.closed_loop.ClosedLoop"),
    ("py:class", "physlearn.chaos.resolution.Resolution"),
    ("py:class", "physlearn.chaos.rollout.Rollout"),
    ("py:class", "physlearn.models.network.Network"),
    ("py:class", "physlearn.models.physical.PhysicalModel"),
    ("py:exc", "UntraceableError"),
]
plot_html_show_formats = plot_html_show_source_link = False
plot_include_source = True
plot_formats = [("png", 110)]


def setup(app: Sphinx) -> None:
    """Sphinx calls this."""
    shutil.rmtree(HERE / "notebooks", ignore_errors=True)
    shutil.copytree(HERE.parent / "notebooks", HERE / "notebooks")  # Sphinx reads nothing that lies outside
    app.connect("source-read", links_to_and_from_notebooks)
    app.connect("env-check-consistency", missing_names)


def links_to_and_from_notebooks(app: Sphinx, document: str, source: list[str]) -> None:
    """In the repository notebooks lie beside these pages, and here below them."""
    source[0] = re.sub(r"\]\((\.\./)+notebooks/", "](/notebooks/", source[0].replace("](../docs/", "](/"))


def missing_names(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each public name that the reference lacks: with warnings as errors, none can."""
    documented = {id(locate(name)) for name in env.domains["py"].data["objects"]}
    for package in ("systems", "physlearn"):
        parts = pkgutil.walk_packages(import_module(package).__path__, f"{package}.")
        for module in (package, *(part.name for part in parts if part.ispkg and part.name not in INTERNAL)):
            for name in getattr(import_module(module), "__all__", ()):
                thing = getattr(import_module(module), name)
                if not isinstance(thing, ModuleType) and id(thing) not in documented:
                    logging.getLogger(__name__).warning("the reference lacks %s.%s", module, name)
