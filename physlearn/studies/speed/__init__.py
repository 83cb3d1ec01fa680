"""Measure the speed of this machine, and compare devices: training, inner loops, meta-gradients and orbits."""

from physlearn.studies.speed.table import markdown, measure

__all__ = ["markdown", "measure"]
