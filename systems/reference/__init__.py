"""Reference orbits from adaptive solvers in float64, with error control per coordinate that does not depend on units."""

from systems.reference.solvers import Solver, dopri8, solve

__all__ = ["Solver", "dopri8", "solve"]
