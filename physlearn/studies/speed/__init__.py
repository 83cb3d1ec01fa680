"""How fast this machine is, measured side by side: networks trained, inner trainings, meta-gradients, orbits."""

from physlearn.studies.speed.table import markdown, measure

__all__ = ["markdown", "measure"]
