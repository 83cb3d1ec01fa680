"""Poincare sections, strobes, maxima, and the bifurcation diagrams that are made of them."""
