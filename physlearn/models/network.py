"""The fully connected network inside every model that is trained by gradients."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from physlearn.models.affine import affine
from physlearn.models.layers import Layers
from physlearn.models.scaling import over_batch


class Network(Layers):
    """Layers of weights, biases and one elementwise activation between them."""

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """The outputs, before any scaling."""
        *hidden, last = self._affine
        for layer in hidden:
            x = self.activation.value(layer(x))
        return last(x)

    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch inputs"]:
        """The gradient of the single output by the inputs, in closed form: training by it takes one backward pass, not two."""
        *hidden, last = self._affine
        slopes = []
        for i, layer in enumerate(hidden):
            x = layer(x)
            if i < len(hidden) - 1:
                x, slope = self.activation.value_and_first(x)
            else:
                slope = self.activation.first(x)
            slopes.append(slope)
        g = over_batch(last.weight[..., 0, :], 1)
        for layer, slope in zip(reversed(hidden), reversed(slopes), strict=True):
            g = affine(g * slope, layer.weight.mT)
        return g
