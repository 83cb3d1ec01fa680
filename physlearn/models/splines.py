"""Models with Kolmogorov-Arnold networks, whose connections are learned functions instead of weights."""

from __future__ import annotations

from physlearn.models.classifier import Classifier
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.registry import register
from physlearn.models.spline_network import SplineNetwork
from physlearn.models.vector_field import VectorFieldNetwork


@register
class SplineVectorField(VectorFieldNetwork):
    """A vector field dz/dt that is the output of a `SplineNetwork`.

    Parameters
    ----------
    dim
        Number D of coordinates.
    hidden
        Widths of the hidden layers.
    activation
        Base function: name of an activation, or an Activation.
    generator
        Random generator of the initial weights.
    angles
        Periods of the coordinates whose cosine and sine are the inputs of the network, by the index of the coordinate.
    given
        Number of given values, such as parameters, which follow the coordinates in each state.
    """

    name = "nn-splines"
    compiled = True
    network_class = SplineNetwork


@register
class SplineHamiltonian(HamiltonianNetwork):
    """Hamilton's equations for an H(q, p) that is the output of a `SplineNetwork` with any base function.

    Parameters
    ----------
    dim
        Number D of coordinates, which must be even.
    hidden
        Widths of the hidden layers.
    activation
        Base function: name of an activation, or an Activation.
    generator
        Random generator of the initial weights.
    angles
        Periods of the coordinates whose cosine and sine are the inputs of the network, by the index of the coordinate.
    given
        Number of given values, such as parameters, which follow the coordinates in each state.

    Raises
    ------
    InputError
        If the number of coordinates is odd.
    """

    name = "hnn-splines"
    compiled = True
    network_class = SplineNetwork


@register
class SplineClassifier(Classifier):
    """A classifier whose logits of C classes are the outputs of a `SplineNetwork`.

    Parameters
    ----------
    inputs
        Number D of inputs.
    classes
        Number C of classes, at least 2.
    hidden
        Widths of the hidden layers.
    activation
        Base function: name of an activation, or an Activation.
    generator
        Random generator of the initial weights.

    Raises
    ------
    InputError
        If there are fewer than two classes.
    """

    name = "classifier-splines"
    compiled = True
    network_class = SplineNetwork
