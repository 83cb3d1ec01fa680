"""Poincare sections, Lyapunov exponents and vectors, indicators of chaos, and comparisons of a model with the truth."""

from physlearn.chaos.attractors.basins import Basins, basins
from physlearn.chaos.attractors.escape import Escapes, escape_times
from physlearn.chaos.attractors.state_grid import state_grid
from physlearn.chaos.attractors.uncertainty import UncertaintyExponent, uncertainty_exponent
from physlearn.chaos.classification.agreement import DynamicsComparison, compare_dynamics
from physlearn.chaos.classification.classes import Classification
from physlearn.chaos.classification.classify import chaotic_fraction, classify, is_chaotic
from physlearn.chaos.classification.dynamics import Dynamics
from physlearn.chaos.classification.overlap import hellinger, nearest
from physlearn.chaos.parameters import sweep
from physlearn.chaos.periodic_orbits.continuation import Family, continue_periodic_orbit
from physlearn.chaos.periodic_orbits.orbit import PeriodicOrbit, periodic_orbit
from physlearn.chaos.sections.bifurcation import BifurcationDiagram, bifurcation_diagram
from physlearn.chaos.sections.section import Section, poincare_section
from physlearn.chaos.signals.frequency import frequencies, frequency_drift
from physlearn.chaos.signals.recurrence import Recurrence, recurrence_matrix, recurrence_measures
from physlearn.chaos.signals.zero_one import ZeroOne, zero_one_test
from physlearn.chaos.tangent.alignment import gali, sali
from physlearn.chaos.tangent.covariant import CovariantVectors, covariant_vectors
from physlearn.chaos.tangent.indicators import fli, megno
from physlearn.chaos.tangent.lyapunov import Exponents, lyapunov_exponents, lyapunov_history

__all__ = [
    "Basins",
    "BifurcationDiagram",
    "Classification",
    "CovariantVectors",
    "Dynamics",
    "DynamicsComparison",
    "Escapes",
    "Exponents",
    "Family",
    "PeriodicOrbit",
    "Recurrence",
    "Section",
    "UncertaintyExponent",
    "ZeroOne",
    "basins",
    "bifurcation_diagram",
    "chaotic_fraction",
    "classify",
    "compare_dynamics",
    "continue_periodic_orbit",
    "covariant_vectors",
    "escape_times",
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
    "recurrence_matrix",
    "recurrence_measures",
    "sali",
    "state_grid",
    "sweep",
    "uncertainty_exponent",
    "zero_one_test",
]
