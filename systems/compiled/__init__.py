"""Compiled flows: vector fields traced once, the code of their expressions, and solvers that call it."""
