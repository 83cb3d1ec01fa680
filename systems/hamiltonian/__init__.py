"""Hamiltonian systems with several degrees of freedom."""

from systems.hamiltonian.dipole import Dipole, ReducedDipole
from systems.hamiltonian.double_pendulum import DoublePendulum
from systems.hamiltonian.elastic_pendulum import ElasticPendulum
from systems.hamiltonian.fput import FPUTChain
from systems.hamiltonian.general_henon_heiles import GeneralHenonHeiles
from systems.hamiltonian.henon_heiles import HenonHeiles
from systems.hamiltonian.kepler import Kepler
from systems.hamiltonian.swinging_atwood import SwingingAtwood
from systems.hamiltonian.three_body import ThreeBody
from systems.hamiltonian.toda import TodaRing
from systems.hamiltonian.two_body import TwoBody

__all__ = [
    "Dipole",
    "DoublePendulum",
    "ElasticPendulum",
    "FPUTChain",
    "GeneralHenonHeiles",
    "HenonHeiles",
    "Kepler",
    "ReducedDipole",
    "SwingingAtwood",
    "ThreeBody",
    "TodaRing",
    "TwoBody",
]
