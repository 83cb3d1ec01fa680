"""Models: learnable flows, by name."""

from physlearn.models.baselines import CubicHamiltonian, LinearModel
from physlearn.models.build import build, names
from physlearn.models.dissipative import DissipativeHamiltonianNetwork, DissipativeMechanicalNetwork
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.model import Model
from physlearn.models.separable import MechanicalHamiltonianNetwork, SeparableHamiltonianNetwork
from physlearn.models.vector_field import VectorFieldNetwork

__all__ = [
    "CubicHamiltonian",
    "DissipativeHamiltonianNetwork",
    "DissipativeMechanicalNetwork",
    "HamiltonianNetwork",
    "LinearModel",
    "MechanicalHamiltonianNetwork",
    "Model",
    "SeparableHamiltonianNetwork",
    "VectorFieldNetwork",
    "build",
    "names",
]
