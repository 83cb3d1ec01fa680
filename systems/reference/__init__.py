"""Reference orbits: adaptive solvers in float64 whose error is held per coordinate, in any units."""

from systems.reference.solvers import Solver, dopri8, solve

__all__ = ["Solver", "dopri8", "solve"]
