"""A network for the Hamiltonian, whose gradient gives the flow."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn import activations
from physlearn.activations import Activation
from physlearn.models.inputs import NO_ANGLES, Angles, Inputs
from physlearn.models.layers import Layers
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.registry import register
from physlearn.models.scaling import over_batch, root_mean_square
from systems import InputError
from systems.hamiltonian_system import rotate


class Potential(nn.Module):
    r"""A scalar function of n coordinates, learned through its gradient.

    .. math:: F(x) = c\,K\bigl((\phi(x) - m) / s\bigr)

    K is a network without a last bias, because a constant in F does not matter. :math:`\phi(x)` is x, except for coordinates
    that are angles (``Inputs``), and m and s are its mean and standard deviation. F is a function of the physical x for all
    values of m, s and c, so Hamilton's equations hold exactly. K has to fit :math:`s_i\,\partial_i F / c`, and c is chosen
    such that the mean square of this is one. Given values, which follow the coordinates in x, are inputs of K as well, but
    the gradient is that by the coordinates.
    """

    gradient_scale: Tensor

    def __init__(
        self,
        size: int,
        hidden: Sequence[int],
        activation: str | Activation,
        generator: torch.Generator,
        network_class: type[Layers] = Network,
        angles: Angles = NO_ANGLES,
        given: int = 0,
    ) -> None:
        super().__init__()
        self.size = size
        if network_class.bends and not activations.get(activation).curved:
            raise InputError(
                "a Hamiltonian network trains through the slope of its activation, which is piecewise constant with linear "
                "interpolation, so that the biases of the first layer cannot train: use kind='cubic'"
            )
        self.inputs = Inputs(size + given, angles)
        self.register_buffer("gradient_scale", torch.ones(()))
        self.network = network_class(self.inputs.width, 1, hidden, activation, last_bias=False, generator=generator)

    def standardize(self, x: Float[Tensor, "m inputs"], gradient: Float[Tensor, "m n"]) -> None:
        """Take the scales from the inputs and the gradients to be learned, whose signs do not matter."""
        self.inputs.fit(x)
        self.gradient_scale.copy_(root_mean_square(self.inputs.lengths[: self.size] * gradient))

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch"]:
        """Return F(x)."""
        return over_batch(self.gradient_scale, 0) * self.network(self.inputs(x)).squeeze(-1)

    def gradient(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch n"]:
        """Return dF/dx."""
        scale = self.gradient_scale.unsqueeze(-1) / self.inputs.scale
        by_inputs = self.inputs.by_coordinates(x, over_batch(scale, 1) * self.network.gradient(self.inputs(x)))
        return by_inputs[..., : self.size]


@register
class HamiltonianNetwork(Model):
    r"""Hamilton's equations for a learned scalar H(q, p), which the flow conserves however well it was learned.

    .. math:: \dot q = \frac{\partial H}{\partial p}, \quad \dot p = -\frac{\partial H}{\partial q}, \quad H = N(q, p)

    H is not separable, so rollouts need an implicit method such as ``"implicit-midpoint"`` or ``"gauss-legendre-4"``.

    Parameters
    ----------
    dim
        Number D of coordinates, which must be even.
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

    Raises
    ------
    InputError
        If the number of coordinates is odd, or the activation interpolates linearly.

    Notes
    -----
    Use it when an energy is conserved and both positions and momenta are measured. If H splits into T(p) + V(q), a separable
    network needs less data and a cheaper integrator.

    References
    ----------
    S. Greydanus, M. Dzamba and J. Yosinski, Hamiltonian Neural Networks, NeurIPS 2019.
    """

    name = "hnn"
    compiled = True
    takes_given = True
    structure = "canonical"
    default_method = "gauss-legendre-4"
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
        check_even(self.name, dim)
        self.energy = Potential(dim, hidden, activation, generator, self.network_class, angles, given)

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Take the scales of the states and of H from the data, so that the gradient of H has the size of the rates.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Training states and dz/dt.
        """
        dq, dp = rate.chunk(2, dim=-1)
        self.energy.standardize(z, torch.cat([dp, dq], dim=-1))

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return the learned energy, up to a constant.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(...)``
            H(q, p).
        """
        return self.energy(z)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return Hamilton's equations (dH/dp, -dH/dq).

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
        return rotate(self.energy.gradient(z))


def check_even(model: str, dim: int, needed: str = "momenta") -> None:
    """Raise InputError if the number of coordinates is odd, so that they cannot be positions and as many momenta."""
    if dim % 2:
        raise InputError(
            f"{model} needs as many {needed} as positions, not {dim} coordinates: use the model nn, or derive velocities of "
            "positions by orbit.with_velocities()"
        )
