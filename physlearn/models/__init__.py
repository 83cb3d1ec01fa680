"""Models: learnable flows and classifiers, registered by name."""

# Each import registers its models; names() lists them in this order.
# isort: off
from physlearn.models.vector_field import VectorFieldNetwork
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.separable import MechanicalHamiltonianNetwork, SeparableHamiltonianNetwork
from physlearn.models.lagrangian import LagrangianNetwork
from physlearn.models.dissipative import DissipativeHamiltonianNetwork, DissipativeMechanicalNetwork
from physlearn.models.classifier import Classifier
from physlearn.models.splines import SplineClassifier, SplineHamiltonian, SplineVectorField
from physlearn.models.baselines import CubicHamiltonian, LinearModel
from physlearn.models.next_generation import NextGenerationReservoir
from physlearn.models.echo_state import EchoStateNetwork
from physlearn.models.polynomials import PolynomialField, PolynomialHamiltonian
from physlearn.models.sparse import SparseField, SparseHamiltonian
# isort: on

from physlearn.models.build import build
from physlearn.models.memory import MemoryModel
from physlearn.models.model import Learner, Model
from physlearn.models.registry import find, names, names_with_memory, register
from physlearn.models.spline_network import SplineNetwork, hidden_of_equal_size

__all__ = [
    "Classifier",
    "CubicHamiltonian",
    "DissipativeHamiltonianNetwork",
    "DissipativeMechanicalNetwork",
    "EchoStateNetwork",
    "HamiltonianNetwork",
    "LagrangianNetwork",
    "Learner",
    "LinearModel",
    "MechanicalHamiltonianNetwork",
    "MemoryModel",
    "Model",
    "NextGenerationReservoir",
    "PolynomialField",
    "PolynomialHamiltonian",
    "SeparableHamiltonianNetwork",
    "SparseField",
    "SparseHamiltonian",
    "SplineClassifier",
    "SplineHamiltonian",
    "SplineNetwork",
    "SplineVectorField",
    "VectorFieldNetwork",
    "build",
    "find",
    "hidden_of_equal_size",
    "names",
    "names_with_memory",
    "register",
]
