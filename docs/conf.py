"""Sphinx configuration."""

from importlib.metadata import version as installed

project = "physlearn"
author = "The physlearn developers"
copyright = "2026, The physlearn developers"  # noqa: A001 - Sphinx reads this name
version = release = installed("physlearn")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "sphinx.ext.napoleon"]
html_theme = "furo"
exclude_patterns = ["_build"]
nb_execution_mode = "off"  # notebooks are committed with their outputs, and run by their own tests
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2
autodoc_typehints = "none"  # shapes are told in the docstrings; rendered jaxtyping hints are unreadable
autodoc_member_order = "bysource"
autosummary_generate = False
