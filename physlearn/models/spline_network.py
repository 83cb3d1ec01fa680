"""The network whose connections are functions that are learned, each of them a spline, and whose neurons only add."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.affine import affine
from physlearn.models.layers import Layers
from physlearn.models.scaling import over_batch
from systems import InputError

GRID = 5  # intervals, as Liu et al. have them by default
EDGE = 3.0  # inputs are standardised, so few lie outside of [-3, 3]; of the hidden sums as they are drawn, hardly any
SPACING = 2 * EDGE / GRID
BASIS = GRID + 3  # cubic B-splines that do not vanish on all of the grid: one for each knot in it, and one beyond each end
FEATURES = 1 + BASIS  # of each input: the base function and the splines


class SplineNetwork(Layers):
    r"""Layers that add up functions of one variable each, which are learned; nothing else is done to the sums.

    .. math:: y_j = \sum_i \Bigl[ w_{ji}\, b(x_i) + \sum_g c_{jig}\, B_g(x_i) \Bigr] + a_j

    b is the base function of every connection, B_g are cubic B-splines on a uniform grid over [-3, 3], outside of which they
    fade away and leave the base alone. Whatever b is, a connection has a slope that varies, so Hamiltonians train too.

    The activation is the base function. A layer is an `Affine` map of the `FEATURES` of all inputs, and all weights are drawn
    as its are.

    Source: Liu et al., KAN: Kolmogorov-Arnold Networks, arXiv:2404.19756, section 2 (there b is silu, weights are drawn
    otherwise, each spline has a factor of its own, and grids may follow the sums).
    """

    features = FEATURES
    bends = False

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """The outputs, before any scaling."""
        for layer in self._affine:
            x = layer(torch.cat([self.activation.value(x), basis(x)], dim=-1))
        return x

    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """The gradient of the single output by the inputs, in closed form: training by it takes one backward pass, not two."""
        *hidden, last = self._affine
        slopes = []
        for layer in hidden:
            base, base_slope = self.activation.value_and_first(x)
            splines, spline_slopes = basis_and_slopes(x)
            slopes.append(torch.cat([base_slope, spline_slopes], dim=-1))
            x = layer(torch.cat([base, splines], dim=-1))
        slopes.append(torch.cat([self.activation.first(x), basis_and_slopes(x)[1]], dim=-1))
        g = _by_inputs(over_batch(last.weight[..., 0, :], 1) * slopes.pop())
        for layer in reversed(hidden):
            g = _by_inputs(affine(g, layer.weight.mT) * slopes.pop())
        return g


def basis(x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch basis_n"]:
    """The B-splines at each x, of which at most four are not zero: the first of all n, then the second, ..."""
    return _splines(_distances(x).abs()).flatten(-2)


def basis_and_slopes(x: Float[Tensor, "*batch n"]) -> tuple[Float[Tensor, "*batch basis_n"], Float[Tensor, "*batch basis_n"]]:
    """The same and their derivatives."""
    u = _distances(x)
    a = u.abs()
    slopes = u.sign() * (2 * (1 - a).relu().square() - (2 - a).relu().square() / 2) / SPACING
    return _splines(a).flatten(-2), slopes.flatten(-2)


def hidden_of_equal_size(inputs: int, hidden: Sequence[int], outputs: int) -> tuple[int]:
    """The hidden width with which a spline network has about as many weights as a `Network` with one hidden layer.

    Raises InputError for other than one hidden layer, whose widths this would not determine.

    >>> hidden_of_equal_size(4, (100,), 4)
    (12,)
    """
    if len(hidden) != 1 or hidden[0] < 1:
        raise InputError(f"the size is matched for one hidden layer of positive width, such as (100,), not {tuple(hidden)}")
    # weights to and from each hidden neuron, and its bias; what biases the outputs have, they have in both networks
    return (max(1, round(hidden[0] * (inputs + outputs + 1) / (FEATURES * (inputs + outputs) + 1))),)


def _distances(x: Tensor) -> Float[Tensor, "*batch basis n"]:
    """From each spline's centre, in units of the spacing; the first centre is one spacing before the grid."""
    centres = torch.arange(-1, BASIS - 1, dtype=x.dtype, device=x.device)
    return (x.unsqueeze(-2) + EDGE) / SPACING - centres.unsqueeze(-1)


def _splines(a: Tensor) -> Tensor:
    """The cubic B-spline at that distance from its centre."""
    return ((2 - a).relu() ** 3 - 4 * (1 - a).relu() ** 3) / 6


def _by_inputs(g: Float[Tensor, "*batch features_n"]) -> Float[Tensor, "*batch n"]:
    """The sum over the features of each input."""
    return g.unflatten(-1, (FEATURES, -1)).sum(-2)
