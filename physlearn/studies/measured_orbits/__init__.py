"""Which loss, model or package learns a flow best from measured states: a table over systems, spacings and noise."""

from physlearn.studies.measured_orbits.cells import cell
from physlearn.studies.measured_orbits.orbits import measured
from physlearn.studies.measured_orbits.table import markdown, run, shortfall, summary, units

__all__ = ["cell", "markdown", "measured", "run", "shortfall", "summary", "units"]
