"""PerLayer: an activation for each hidden layer of a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from torch import Tensor, nn

from physlearn.activations.activation import Activation
from systems import InputError


class PerLayer(Activation):
    """One activation for each hidden layer of a network.

    It is no function by itself, because its neurons do not belong to one layer.

    Parameters
    ----------
    layers
        The activations of the hidden layers, the first one first.

    Raises
    ------
    InputError
        If there are no layers, or one of them is itself a PerLayer. Also if a function is evaluated.
    """

    def __init__(self, layers: Sequence[Activation]) -> None:
        super().__init__()
        if not layers or any(isinstance(layer, PerLayer) for layer in layers):
            raise InputError("activations per layer need one activation for each hidden layer")
        self.layers = nn.ModuleList(layers)
        self.name = ", ".join(layer.name for layer in layers)
        self.curved = all(layer.curved for layer in layers)

    def value(self, x: Tensor) -> NoReturn:
        """Raise InputError, because the layer is not known.

        Parameters
        ----------
        x
            Not used.
        """
        raise InputError("activations per layer have no common value: call one of their layers")

    first = second = value


def in_layers(activation: Activation, widths: Sequence[int]) -> Activation:
    """Return a copy of an activation for the hidden layers of a network.

    An activation without parameters serves all layers. One with parameters, which train, is copied for each layer.

    Parameters
    ----------
    activation
        The activation.
    widths
        Numbers of neurons of the layers.

    Returns
    -------
    Activation
        A single activation, or one per layer.

    Raises
    ------
    InputError
        If there are activations per layer, but not as many as layers.
    """
    if isinstance(activation, PerLayer):
        if len(activation.layers) != len(widths):
            raise InputError(
                f"there are {len(activation.layers)} activations for {len(widths)} hidden layers: give one for each layer, or "
                "one for all"
            )
        given: list[Activation] = list(activation.layers)  # type: ignore[arg-type]
    elif next(activation.parameters(), None) is None:
        return activation.in_layer(widths[0])
    else:
        given = [activation] * len(widths)
    copies = [layer.in_layer(width) for layer, width in zip(given, widths, strict=True)]
    return copies[0] if len(copies) == 1 else PerLayer(copies)
