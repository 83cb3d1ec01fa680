"""A network for the vector field."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.activations import Activation
from physlearn.models.inputs import NO_ANGLES, Angles, Inputs
from physlearn.models.layers import Layers
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import Standard


@register
class VectorFieldNetwork(Model):
    r"""A vector field dz/dt that is the output of a network, which assumes and conserves nothing.

    .. math:: \dot z = N(z)

    Inputs and outputs are standardised with the training data.

    Parameters
    ----------
    dim
        Number D of coordinates.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, or an Activation.
    generator
        Random generator of the initial weights.
    angles
        Periods of the coordinates whose cosine and sine are the inputs of the network, by the index of the coordinate.
    given
        Number of given values, such as parameters, which follow the coordinates in each state.

    Notes
    -----
    Use it when nothing is known about the system, or when it has friction, a drive or a limit cycle. It needs more data than a
    model with structure, and its energy drifts.
    """

    name = "nn"
    compiled = True
    takes_given = True
    default_method = "rk4"
    network_class: type[Layers] = Network

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        angles: Angles = NO_ANGLES,
        given: int = 0,
    ) -> None:
        super().__init__()
        self.states = Inputs(dim + given, angles)
        self.rates = Standard(dim)
        self.network = self.network_class(self.states.width, dim, hidden, activation, last_bias=True, generator=generator)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale inputs and outputs to zero mean and unit variance.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Training states and dz/dt.
        """
        self.states.fit(z)
        self.rates.fit(rate)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the predicted dz/dt.

        Parameters
        ----------
        t
            Time; not used.
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(..., D)``
            dz/dt.
        """
        return self.rates.inverse(self.network(self.states(z)))
