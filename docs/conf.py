"""Sphinx configuration."""

import json
import pkgutil
import re
import shutil
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pydoc import locate
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

import physlearn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import catalogue  # noqa: E402 - it is in this folder
import launch_badges  # noqa: E402

project = "physlearn"
author = "The physlearn developers"
copyright = "2026, The physlearn developers"  # noqa: A001 - Sphinx reads this name
version = release = physlearn.__version__
INTERNAL = {"physlearn.cli", "physlearn.training.fused"}  # the command line, and loops with names for each other alone

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "matplotlib.sphinxext.plot_directive",
    "launch_badges",
    "sphinx.ext.githubpages",  # the folder can be hosted as it is
    "sphinx_copybutton",
    "sphinx_design",
]
launch_repository = ""  # owner/name of the public repository, from which hosted notebooks are opened
html_theme = "furo"
html_title = f"physlearn {version}"
html_static_path = ["_static"]
html_css_files = ["physlearn.css"]
html_js_files = [("versions.js", {"type": "module"})]  # a menu, if the site has several versions
mathjax_path = "mathjax/tex-chtml-full.js"
exclude_patterns = ["_build", "examples"]
nb_execution_mode = "off"  # notebooks are committed with their outputs, and run by their own tests
myst_enable_extensions = ["colon_fence", "dollarmath"]
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
    catalogue.write(HERE / "catalogue")
    app.connect("build-finished", bundle_mathjax)
    app.connect("source-read", links_to_and_from_notebooks)
    app.connect("source-read", badges_above_notebooks)
    app.connect("env-check-consistency", missing_names)


def bundle_mathjax(app: Sphinx, error: Exception | None) -> None:
    """Copy MathJax and its fonts beside the pages, which then show formulas without a network."""
    package = find_spec("sphinx-mathjax-offline")
    if error is None and app.builder.format == "html" and package is not None and package.origin is not None:
        source, target = Path(package.origin).parent / "static" / "mathjax", Path(app.outdir) / "_static" / "mathjax"
        fonts = Path("output", "chtml", "fonts", "woff-v2")
        shutil.copytree(source / fonts, target / fonts, dirs_exist_ok=True)
        shutil.copy(source / "tex-chtml-full.js", target)


def links_to_and_from_notebooks(app: Sphinx, document: str, source: list[str]) -> None:
    """In the repository notebooks lie beside these pages, and here below them."""
    source[0] = re.sub(r"\]\((\.\./)+notebooks/", "](/notebooks/", source[0].replace("](../docs/", "](/"))


def badges_above_notebooks(app: Sphinx, document: str, source: list[str]) -> None:
    """Add the links to hosted notebooks below the title, in a cell of their own."""
    text = launch_badges.badges(document, app.config.launch_repository, app.config.launch_branch)
    if text:
        notebook = json.loads(source[0])
        notebook["cells"].insert(1, {"cell_type": "markdown", "id": "launch", "metadata": {}, "source": text})
        source[0] = json.dumps(notebook)


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
