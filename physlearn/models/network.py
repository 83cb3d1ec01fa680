"""The fully connected network inside the models that train by gradient descent."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from physlearn.models.affine import affine
from physlearn.models.layers import Layers
from physlearn.models.scaling import over_batch


class Network(Layers):
    """A fully connected network with one elementwise activation; its arguments are those of `Layers`."""

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs, before any scaling."""
        *hidden, last = self._affine
        for layer, activation in zip(hidden, self.layer_activations, strict=True):
            x = activation.value(layer(x))
        return last(x)

    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """Return the gradient of the single output by the inputs, in closed form so that training takes one backward pass."""
        *hidden, last = self._affine
        slopes = []
        for layer, activation in zip(hidden, self.layer_activations, strict=True):
            x = layer(x)
            if layer is not hidden[-1]:
                x, slope = activation.value_and_first(x)
            else:
                slope = activation.first(x)
            slopes.append(slope)
        g = over_batch(last.weight[..., 0, :], 1)
        for layer, slope in zip(reversed(hidden), reversed(slopes), strict=True):
            g = affine(g * slope, layer.weight.mT)
        return g

    def value_and_slopes(
        self, x: Float[Tensor, "*batch inputs"], tangents: Float[Tensor, "n *batch inputs"]
    ) -> tuple[Float[Tensor, "*batch outputs"], Float[Tensor, "n *batch outputs"]]:
        """Return the outputs and their derivatives along some tangents of the inputs, in one forward pass."""
        *hidden, last = self._affine
        for layer, activation in zip(hidden, self.layer_activations, strict=True):
            x, slope = activation.value_and_first(layer(x))
            tangents = slope * (tangents @ layer.weight.mT)
        return last(x), tangents @ last.weight.mT
