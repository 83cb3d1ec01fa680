"""PerLayer: an activation for each hidden layer of a network."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from physlearn.activations.activation import Activation
from physlearn.activations.parts import Parts
from systems import InputError


class PerLayer(Parts):
    """One activation for each hidden layer of a network.

    Parameters
    ----------
    layers
        The activations of the hidden layers, the first one first.

    Attributes
    ----------
    layers : ModuleList
        The activations.

    Raises
    ------
    InputError
        If there are no layers, or one of them has several activations itself. Also if a function is evaluated.
    """

    def __init__(self, layers: Sequence[Activation]) -> None:
        super().__init__()
        if not layers or not all(layer.elementwise for layer in layers):
            raise InputError("activations by layer need one function or mixture for each hidden layer")
        self.layers = nn.ModuleList(layers)
        self.name = ", ".join(layer.name for layer in layers)
        self.curved = all(layer.curved for layer in layers)


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
        If there are activations by layer, but not as many as layers, or by role.
    """
    if not activation.elementwise and not isinstance(activation, PerLayer):
        raise InputError(
            "only the model hnn-separable has one network for the positions and one for the momenta: give one activation, not "
            f"{activation.name!r}"
        )
    if isinstance(activation, PerLayer):
        if len(activation.layers) != len(widths):
            raise InputError(
                f"{len(activation.layers)} activations were given, but the number of layers that have one is {len(widths)}: "
                "give as many, or one for all"
            )
        given: list[Activation] = list(activation.layers)  # type: ignore[arg-type]
    elif next(activation.parameters(), None) is None:
        return activation.in_layer(widths[0])
    else:
        given = [activation] * len(widths)
    copies = [layer.in_layer(width) for layer, width in zip(given, widths, strict=True)]
    return copies[0] if len(copies) == 1 else PerLayer(copies)
