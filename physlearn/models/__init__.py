"""Models: learnable flows, by name, and a classifier."""

from physlearn.models.baselines import CubicHamiltonian, LinearModel
from physlearn.models.build import build, names
from physlearn.models.classifier import Classifier
from physlearn.models.dissipative import DissipativeHamiltonianNetwork, DissipativeMechanicalNetwork
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.model import Learner, Model
from physlearn.models.separable import MechanicalHamiltonianNetwork, SeparableHamiltonianNetwork
from physlearn.models.spline_network import SplineNetwork, hidden_of_equal_size
from physlearn.models.splines import SplineClassifier, SplineHamiltonian, SplineVectorField
from physlearn.models.vector_field import VectorFieldNetwork

__all__ = [
    "Classifier",
    "CubicHamiltonian",
    "DissipativeHamiltonianNetwork",
    "DissipativeMechanicalNetwork",
    "HamiltonianNetwork",
    "Learner",
    "LinearModel",
    "MechanicalHamiltonianNetwork",
    "Model",
    "SeparableHamiltonianNetwork",
    "SplineClassifier",
    "SplineHamiltonian",
    "SplineNetwork",
    "SplineVectorField",
    "VectorFieldNetwork",
    "build",
    "hidden_of_equal_size",
    "names",
]
