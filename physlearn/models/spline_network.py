"""A network whose connections are learned splines and whose neurons only add."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.affine import affine
from physlearn.models.layers import Layers
from physlearn.models.scaling import over_batch
from systems import InputError

GRID = 5  # number of intervals, the default of Liu et al.
EDGE = 3.0  # few of the standardised inputs and hardly any initial sums in hidden layers lie outside of [-3, 3]
SPACING = 2 * EDGE / GRID
BASIS = GRID + 3  # cubic B-splines that overlap the grid: one per knot and one beyond each end
FEATURES = 1 + BASIS  # per input: the base function and the splines


class SplineNetwork(Layers):
    r"""A Kolmogorov-Arnold network: each layer adds learned functions of one variable.

    .. math:: y_j = \sum_i \Bigl[ w_{ji}\, b(x_i) + \sum_g c_{jig}\, B_g(x_i) \Bigr] + a_j

    b is the base function of every connection. B_g are cubic B-splines on a uniform grid over [-3, 3]; outside of it they
    decay to zero and only the base function remains. The slope of a connection varies for any b, so Hamiltonians can train
    with any base function. A layer is an ``Affine`` map of the ``FEATURES`` of all inputs, and its weights are drawn as for
    ``Affine``.

    Parameters
    ----------
    inputs, outputs
        Numbers of inputs and outputs.
    hidden
        Widths of the hidden layers.
    activation
        The base function b: name of an activation, or an Activation.
    last_bias
        Whether the output layer has a bias.
    generator
        Random generator of the initial weights.

    Raises
    ------
    InputError
        If a width is not positive, or the activation is a mixture along another axis than the last.
    UnknownNameError
        If the activation is unknown.

    References
    ----------
    Z. Liu et al., KAN: Kolmogorov-Arnold Networks, arXiv:2404.19756, section 2. There, b is silu, the initial weights differ,
    each spline has its own factor, and grids can adapt to the sums.
    """

    features = FEATURES
    bends = False
    from_inputs = True

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs, before any scaling.

        Parameters
        ----------
        x : shape ``(..., inputs)``
            Inputs.

        Returns
        -------
        Tensor, shape ``(..., outputs)``
            Outputs.
        """
        for layer, activation in zip(self._affine, self.layer_activations, strict=True):
            x = layer(torch.cat([activation.value(x), basis(x)], dim=-1))
        return x

    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """Return the gradient of the single output by the inputs, in closed form so that training takes one backward pass.

        Parameters
        ----------
        x : shape ``(..., inputs)``
            Inputs.

        Returns
        -------
        Tensor, shape ``(..., inputs)``
            Gradient.
        """
        *hidden, last = self._affine
        slopes = []
        *inner, outermost = self.layer_activations
        for layer, activation in zip(hidden, inner, strict=True):
            base, base_slope = activation.value_and_first(x)
            splines, spline_slopes = basis_and_slopes(x)
            slopes.append(torch.cat([base_slope, spline_slopes], dim=-1))
            x = layer(torch.cat([base, splines], dim=-1))
        slopes.append(torch.cat([outermost.first(x), basis_and_slopes(x)[1]], dim=-1))
        g = _by_inputs(over_batch(last.weight[..., 0, :], 1) * slopes.pop())
        for layer in reversed(hidden):
            g = _by_inputs(affine(g, layer.weight.mT) * slopes.pop())
        return g


def basis(x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch basis_n"]:
    """Return the B-splines at each x, at most four of which are nonzero: the first for all n, then the second, and so on."""
    return _splines(_distances(x).abs()).flatten(-2)


def basis_and_slopes(x: Float[Tensor, "*batch n"]) -> tuple[Float[Tensor, "*batch basis_n"], Float[Tensor, "*batch basis_n"]]:
    """Return the B-splines and their derivatives, in the order of `basis`."""
    u = _distances(x)
    a = u.abs()
    slopes = u.sign() * (2 * (1 - a).relu().square() - (2 - a).relu().square() / 2) / SPACING
    return _splines(a).flatten(-2), slopes.flatten(-2)


def hidden_of_equal_size(inputs: int, hidden: Sequence[int], outputs: int) -> tuple[int]:
    """Return the hidden width for which a spline network has about as many weights as a fully connected network.

    Parameters
    ----------
    inputs
        Number of inputs of both networks.
    hidden
        Width of the single hidden layer of the fully connected network, such as ``(100,)``.
    outputs
        Number of outputs of both networks.

    Returns
    -------
    tuple of int
        Width of the single hidden layer of the spline network.

    Raises
    ------
    InputError
        If there is not exactly one hidden layer, because the widths of several would not be determined.

    Examples
    --------
    >>> hidden_of_equal_size(4, (100,), 4)
    (12,)
    """
    if len(hidden) != 1 or hidden[0] < 1:
        raise InputError(f"hidden must be one hidden layer of positive width, such as (100,), not {tuple(hidden)}")
    # count the weights to and from each hidden neuron and its bias; the biases of the outputs are the same in both networks
    return (max(1, round(hidden[0] * (inputs + outputs + 1) / (FEATURES * (inputs + outputs) + 1))),)


def _distances(x: Tensor) -> Float[Tensor, "*batch basis n"]:
    """Return the distances to the centre of each spline in units of the spacing; the first is one spacing before the grid."""
    centres = torch.arange(-1, BASIS - 1, dtype=x.dtype, device=x.device)
    return (x.unsqueeze(-2) + EDGE) / SPACING - centres.unsqueeze(-1)


def _splines(a: Tensor) -> Tensor:
    """Return the cubic B-spline at that distance from its centre."""
    return ((2 - a).relu() ** 3 - 4 * (1 - a).relu() ** 3) / 6


def _by_inputs(g: Float[Tensor, "*batch features_n"]) -> Float[Tensor, "*batch n"]:
    """Return the sum over the features of each input."""
    return g.unflatten(-1, (FEATURES, -1)).sum(-2)
