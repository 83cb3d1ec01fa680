"""Models with learned functions on the connections, where the others have weights: Kolmogorov-Arnold networks."""

from __future__ import annotations

from physlearn.models.classifier import Classifier
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.registry import register
from physlearn.models.spline_network import SplineNetwork
from physlearn.models.vector_field import VectorFieldNetwork


@register
class SplineVectorField(VectorFieldNetwork):
    """dz/dt as the output of a `SplineNetwork`."""

    name = "nn-splines"
    compiled = True
    network_class = SplineNetwork


@register
class SplineHamiltonian(HamiltonianNetwork):
    """Hamilton's equations for one H(q, p) that a `SplineNetwork` gives, whose base function may be any."""

    name = "hnn-splines"
    compiled = True
    network_class = SplineNetwork


@register
class SplineClassifier(Classifier):
    """The logits of C classes as the output of a `SplineNetwork`."""

    name = "classifier-splines"
    compiled = True
    network_class = SplineNetwork
