"""Orbits by Taylor series, for which heyoka makes machine code from the expressions of a field."""
