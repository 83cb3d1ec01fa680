"""Chaos: Poincare sections, Lyapunov exponents, alignment indices, for systems and for learned models alike."""

from physlearn.chaos.alignment import gali, sali
from physlearn.chaos.classify import chaotic_fraction, is_chaotic
from physlearn.chaos.lyapunov import Exponents, lyapunov_exponents, lyapunov_history
from physlearn.chaos.section import Section, poincare_section

__all__ = [
    "Exponents",
    "Section",
    "chaotic_fraction",
    "gali",
    "is_chaotic",
    "lyapunov_exponents",
    "lyapunov_history",
    "poincare_section",
    "sali",
]
