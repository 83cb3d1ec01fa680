"""Reproduction: every figure of the paper *Neural networks embrace learned diversity* by one command."""

from physlearn.reproduction import descent_figure, digit_figures, orbit_figures, study
from physlearn.reproduction.figures import names, reproduce

__all__ = ["descent_figure", "digit_figures", "names", "orbit_figures", "reproduce", "study"]
