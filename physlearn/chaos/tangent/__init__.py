"""Tangent vectors along orbits: Lyapunov exponents, alignment indices, indicators of chaos, covariant vectors."""
