"""Poincare sections, Lyapunov exponents and vectors, indicators of chaos, and comparisons of a model with the truth."""

from physlearn.chaos.agreement import DynamicsComparison, compare_dynamics
from physlearn.chaos.alignment import gali, sali
from physlearn.chaos.classes import Classification
from physlearn.chaos.classify import chaotic_fraction, classify, is_chaotic
from physlearn.chaos.continuation import Family, continue_periodic_orbit
from physlearn.chaos.covariant import CovariantVectors, covariant_vectors
from physlearn.chaos.dynamics import Dynamics
from physlearn.chaos.frequency import frequencies, frequency_drift
from physlearn.chaos.indicators import fli, megno
from physlearn.chaos.lyapunov import Exponents, lyapunov_exponents, lyapunov_history
from physlearn.chaos.overlap import hellinger, nearest
from physlearn.chaos.periodic import PeriodicOrbit, periodic_orbit
from physlearn.chaos.section import Section, poincare_section

__all__ = [
    "Classification",
    "CovariantVectors",
    "Dynamics",
    "DynamicsComparison",
    "Exponents",
    "Family",
    "PeriodicOrbit",
    "Section",
    "chaotic_fraction",
    "classify",
    "compare_dynamics",
    "continue_periodic_orbit",
    "covariant_vectors",
    "fli",
    "frequencies",
    "frequency_drift",
    "gali",
    "hellinger",
    "is_chaotic",
    "lyapunov_exponents",
    "lyapunov_history",
    "megno",
    "nearest",
    "periodic_orbit",
    "poincare_section",
    "sali",
]
