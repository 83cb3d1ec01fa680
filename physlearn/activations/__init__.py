"""Activation functions: named functions, learned functions, and mixtures of several types in one layer."""

from physlearn.activations import shipped, trained
from physlearn.activations.activation import Activation, derivative, neurons_per_type
from physlearn.activations.get import get
from physlearn.activations.mixture import Mixture
from physlearn.activations.named import Named, names, register
from physlearn.activations.per_layer import PerLayer
from physlearn.activations.per_role import PerRole
from physlearn.activations.piecewise import Piecewise
from physlearn.activations.sub_network import SubNetwork
from physlearn.activations.table import Table
from physlearn.activations.trained import Combination, Fourier, Rational, Trained

__all__ = [
    "Activation",
    "Combination",
    "Fourier",
    "Mixture",
    "Named",
    "PerLayer",
    "PerRole",
    "Piecewise",
    "Rational",
    "SubNetwork",
    "Table",
    "Trained",
    "derivative",
    "get",
    "names",
    "neurons_per_type",
    "register",
    "shipped",
    "trained",
]
