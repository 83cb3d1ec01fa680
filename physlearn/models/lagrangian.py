"""A network for the Lagrangian of positions and velocities, for those who have no momenta."""

from __future__ import annotations

from collections.abc import Sequence
from math import e, log

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from physlearn.activations import Activation
from physlearn.models.hamiltonian import Potential, check_even
from physlearn.models.inputs import NO_ANGLES, Angles, Inputs
from physlearn.models.model import Model
from physlearn.models.network import Network
from physlearn.models.registry import register
from systems import InputError

ONE = log(e - 1)  # softplus of this is one
LEAST = 0.01  # smallest entry on the diagonal of the factor of the mass matrix, in units of its typical size


@register
class LagrangianNetwork(Model):
    r"""The Euler-Lagrange equations for L = v M(q) v / 2 - V(q), with one network for the mass matrix M and one for V.

    .. math:: M(q)\,\dot v = \tfrac12 \nabla_q \bigl(v^T M(q)\,v\bigr) - \dot M(q)\,v - \nabla V(q), \quad M = C C^T

    The state is z = (q, v) with v = dq/dt. C is a lower triangular matrix with a positive diagonal, so that M is positive
    definite and the accelerations exist. Momenta M(q) v are not needed, which makes this the model for angles and angular
    rates of coupled bodies, on which Hamilton's equations do not hold. Motion determines M and V up to a common factor.

    Parameters
    ----------
    dim
        Number D of coordinates, which must be even: n positions, followed by their n velocities.
    hidden
        Widths of the hidden layers.
    activation
        Name of an activation, or an Activation.
    generator
        Random generator of the initial weights.
    angles
        Periods of the positions whose cosine and sine are the inputs of the networks, by the index of the coordinate.
    given
        Number of given values, such as parameters, which follow the coordinates in each state. M and V depend on them, so that
        a given force is the slope of V.

    Raises
    ------
    InputError
        If the number of coordinates is odd, a velocity has a period, or the activation interpolates linearly.

    Notes
    -----
    Use it when an energy is conserved, positions and velocities are measured, and masses vary with the positions, as for
    coupled pendulums.

    References
    ----------
    M. Lutter, C. Ritter and J. Peters, Deep Lagrangian Networks, ICLR 2019, equations 5 to 8; M. Cranmer, S. Greydanus,
    S. Hoyer et al., Lagrangian Neural Networks, arXiv:2003.04630, for an L of any form.

    Examples
    --------
    >>> import torch
    >>> from physlearn import models
    >>> pendulum = models.build("lnn", dim=2, hidden=(10,))
    >>> pendulum.vector_field(0.0, torch.tensor([0.1, 2.0]))[0].detach()
    tensor(2.)
    """

    name = "lnn"
    structure = "lagrangian"
    takes_given = True
    default_method = "rk4"

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
        check_even(self.name, dim, "velocities")
        if any(i >= dim // 2 for i in angles):
            raise InputError(
                f"the kinetic energy of {self.name} has no period in the velocities: name only positions in angles"
            )
        self.size = dim // 2
        self.potential_energy = Potential(self.size, hidden, activation, generator, angles=angles, given=given)
        self.inputs = Inputs(self.size + given, angles)
        entries = self.size * (self.size + 1) // 2
        self.network = Network(self.inputs.width, entries, hidden, activation, last_bias=True, generator=generator)
        rows, columns = torch.tril_indices(self.size, self.size).tolist()
        self._places = [row * self.size + column for row, column in zip(rows, columns, strict=True)]
        self._diagonal = [k for k, (row, column) in enumerate(zip(rows, columns, strict=True)) if row == column]

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Take the scales of positions and accelerations from the data.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Training states and dz/dt.
        """
        positions = self._positions(z)
        self.inputs.fit(positions)
        self.potential_energy.standardize(positions, rate[:, self.size :])

    def mass(self, q: Float[Tensor, "*batch m"]) -> Float[Tensor, "*batch n n"]:
        """Return the mass matrix M(q), which motion determines up to a factor.

        Parameters
        ----------
        q : shape ``(..., n)``
            Positions, followed by the given values if there are any.

        Returns
        -------
        Tensor, shape ``(..., n, n)``
            Symmetric positive definite matrices.
        """
        factor = self._factor(self.network(self.inputs(q)))
        return factor @ factor.mT

    def energy(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return the energy v M v / 2 + V, which the flow conserves, up to a constant and a factor.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(...)``
            Energy, such that the Lagrangian L has ``energy = v . dL/dv - L``.
        """
        q, v = self._positions(z), self._velocities(z)
        factor = self._factor(self.network(self.inputs(q)))
        return (factor.mT @ v.unsqueeze(-1)).square().sum((-1, -2)) / 2 + self.potential_energy(q)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the velocities and the accelerations.

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
        q, v = self._positions(z), self._velocities(z)
        entries, slopes = self.network.value_and_slopes(self.inputs(q), self.inputs.slopes(q)[: self.size])
        factor, column = self._factor(entries), v.unsqueeze(-1)
        by_position = self._factor_slopes(entries, slopes)  # (n, ..., n, n): dC/dq_k
        along = (factor.mT @ column).squeeze(-1)  # C^T v, of which half the square is the kinetic energy
        turned = (by_position.mT @ column).squeeze(-1)  # (n, ..., n): dC^T/dq_k v
        push = (turned * along).sum(-1).movedim(0, -1)
        change = (by_position * v.movedim(-1, 0)[..., None, None]).sum(0)  # dC/dt
        drag = change @ along.unsqueeze(-1) + factor @ (change.mT @ column)
        force = push - drag.squeeze(-1) - self.potential_energy.gradient(q)
        return torch.cat([v, _solved(factor, force)], dim=-1)

    def _positions(self, z: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch m"]:
        """Return the positions, followed by the given values if there are any."""
        q, given = z[..., : self.size], z[..., 2 * self.size :]
        return torch.cat([q, given], dim=-1) if given.shape[-1] else q

    def _velocities(self, z: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch n"]:
        return z[..., self.size : 2 * self.size]

    def _factor(self, entries: Float[Tensor, "*batch entries"]) -> Float[Tensor, "*batch n n"]:
        """Return the factor C of the mass matrix, whose diagonal is positive."""
        columns = list(entries.unbind(-1))
        for k in self._diagonal:
            columns[k] = softplus(columns[k] + ONE) + LEAST
        return self._triangular(columns)

    def _factor_slopes(
        self, entries: Float[Tensor, "*batch entries"], slopes: Float[Tensor, "n *batch entries"]
    ) -> Float[Tensor, "n *batch n n"]:
        columns = list(slopes.unbind(-1))
        for k in self._diagonal:
            columns[k] = columns[k] * torch.sigmoid(entries[..., k] + ONE)
        return self._triangular(columns)

    def _triangular(self, columns: Sequence[Float[Tensor, "*batch"]]) -> Float[Tensor, "*batch n n"]:
        full = [torch.zeros_like(columns[0])] * self.size**2
        for place, column in zip(self._places, columns, strict=True):
            full[place] = column
        return torch.stack(full, dim=-1).unflatten(-1, (self.size, self.size))


def _solved(factor: Float[Tensor, "*batch n n"], force: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
    """Return the solution a of C C^T a = force, by substitution, which is faster than LAPACK for many small matrices."""
    n = force.shape[-1]
    found: list[Tensor] = []
    for i in range(n):
        rest = force[..., i]
        for j in range(i):
            rest = rest - factor[..., i, j] * found[j]
        found.append(rest / factor[..., i, i])
    for i in reversed(range(n)):
        rest = found[i]
        for j in range(i + 1, n):
            rest = rest - factor[..., j, i] * found[j]
        found[i] = rest / factor[..., i, i]
    return torch.stack(found, dim=-1)
