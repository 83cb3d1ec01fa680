"""Models with Kolmogorov-Arnold networks, whose connections are learned functions instead of weights."""

from __future__ import annotations

from physlearn.models.classifier import Classifier
from physlearn.models.hamiltonian import HamiltonianNetwork
from physlearn.models.registry import register
from physlearn.models.spline_network import SplineNetwork
from physlearn.models.vector_field import VectorFieldNetwork


@register
class SplineVectorField(VectorFieldNetwork):
    r"""A vector field dz/dt that is the output of a `SplineNetwork`.

    Each layer sums learned functions, one per connection:

    .. math:: x'_j = \sum_i \varphi_{ij}(x_i)

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

    Notes
    -----
    Use it to look at the learned functions of single connections. It trains more slowly than ``nn``.
    """

    name = "nn-splines"
    compiled = True
    network_class = SplineNetwork


@register
class SplineHamiltonian(HamiltonianNetwork):
    r"""Hamilton's equations for an H(q, p) that is the output of a `SplineNetwork` with any base function.

    Each layer sums learned functions, one per connection:

    .. math:: x'_j = \sum_i \varphi_{ij}(x_i)

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

    Notes
    -----
    Use it to look at the learned functions of single connections in a Hamiltonian. It trains more slowly than ``hnn``.
    """

    name = "hnn-splines"
    compiled = True
    network_class = SplineNetwork


@register
class SplineClassifier(Classifier):
    r"""A classifier whose logits of C classes are the outputs of a `SplineNetwork`.

    Each layer sums learned functions, one per connection:

    .. math:: x'_j = \sum_i \varphi_{ij}(x_i)

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

    Notes
    -----
    Use it to compare learned functions on the connections with activations on the neurons.
    """

    name = "classifier-splines"
    compiled = True
    network_class = SplineNetwork
