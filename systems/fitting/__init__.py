"""Fits of the parameters of a system to measured orbits."""
