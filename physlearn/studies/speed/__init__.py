"""Measure the speed of this machine: training, inner loops, meta-gradients, and orbits beside other packages."""

from physlearn.studies.speed.table import markdown, measure, tables

__all__ = ["markdown", "measure", "tables"]
