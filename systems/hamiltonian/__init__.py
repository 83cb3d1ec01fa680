"""Hamiltonian systems of several degrees of freedom."""

from systems.hamiltonian.double_pendulum import DoublePendulum
from systems.hamiltonian.elastic_pendulum import ElasticPendulum
from systems.hamiltonian.henon_heiles import HenonHeiles
from systems.hamiltonian.kepler import Kepler
from systems.hamiltonian.three_body import ThreeBody
from systems.hamiltonian.toda import TodaRing

__all__ = ["DoublePendulum", "ElasticPendulum", "HenonHeiles", "Kepler", "ThreeBody", "TodaRing"]
