"""A network that classifies signals."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.layers import Layers
from physlearn.models.model import Learner
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import Standard
from systems import InputError


@register
class Classifier(Learner):
    r"""A network whose outputs are the logits of C classes, which softmax turns into probabilities.

    .. math:: P(c \mid x) = \frac{e^{N_c(x)}}{\sum_k e^{N_k(x)}}

    Inputs are standardised with the training data. A classifier is not a flow and cannot forecast.

    Parameters
    ----------
    inputs
        Number D of inputs.
    classes
        Number C of classes, at least 2.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, or an Activation.
    generator
        Random generator of the initial weights.

    Raises
    ------
    InputError
        If there are fewer than two classes, or a width is not positive.
    UnknownNameError
        If the activation is unknown.

    Notes
    -----
    Use it to learn activations on a task of classification, such as MNIST-1D.

    Examples
    --------
    >>> network = Classifier(40, 10, generator=torch.Generator().manual_seed(0))
    >>> network(torch.zeros(5, 40)).shape
    torch.Size([5, 10])
    """

    name = "classifier"
    compiled = True
    network_class: type[Layers] = Network

    def __init__(
        self,
        inputs: int,
        classes: int,
        hidden: Sequence[int] = (100,),
        activation: str | Activation = "sine",
        *,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if classes < 2:
            raise InputError(f"a classifier needs at least 2 classes, not {classes}")
        self.inputs = Standard(inputs)
        self.network = self.network_class(inputs, classes, hidden, activation, last_bias=True, generator=generator)

    def standardize(self, z: Float[Tensor, "n D"], target: Int[Tensor, " n"]) -> None:
        """Scale the inputs to zero mean and unit variance.

        Parameters
        ----------
        z : shape ``(n, D)``
            Training signals.
        target : shape ``(n,)``
            Class indices; not used.
        """
        self.inputs.fit(z)

    def forward(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch C"]:
        """Return the logits.

        Parameters
        ----------
        z : shape ``(..., D)``
            Signals.

        Returns
        -------
        Tensor, shape ``(..., C)``
            Logits of the classes.
        """
        return self.network(self.inputs(z))
