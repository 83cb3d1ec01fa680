"""Modules of the user's own as models: networks for the rates, or for a Hamiltonian."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.models.model import Model
from systems import InputError
from systems.hamiltonian_system import symplectic_gradient

TRIED = 3  # states at which a module is called before the training


class OwnField(Model):
    """A module of the user's own, which maps states to their rates, both in units in which they are of order one.

    Parameters
    ----------
    module
        The module, which is copied. It maps tensors of shape ``(..., D + k)``, states and the k given values, to rates of
        shape ``(..., D)``.
    dim
        Number D of coordinates.
    given
        Number k of given values.

    Raises
    ------
    InputError
        If the module has no parameters, or does not return rates of this shape.
    """

    name = "own"
    default_method = "rk4"
    takes_angles = False
    takes_given = True
    layered = False
    method = "forward"

    def __init__(self, module: nn.Module, dim: int, given: int = 0) -> None:
        super().__init__()
        self.module, self.dim = copy.deepcopy(module), dim
        if not any(parameter.requires_grad for parameter in module.parameters()):
            raise InputError(f"the module {type(module).__name__} has no parameters to train")
        if others := [name for name, tensor in module.named_buffers() if not tensor.is_floating_point()]:
            raise InputError(
                f"the module {type(module).__name__} has the buffer {others[0]} of {module.get_buffer(others[0]).dtype}, but "
                "files hold floating-point numbers only: register it with persistent=False"
            )
        self._try(dim, given)

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int) -> int:
        """Return 0, because any module may be given.

        Parameters
        ----------
        dim, hidden, angles
            Not used.

        Returns
        -------
        int
            A lower bound on the number of weights.
        """
        return 0

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Do nothing, because the states and rates that the module sees are of order one already.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Not used.
        """

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the rates that the module computes.

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
        found: Tensor = self.module(z)
        return found

    def _try(self, dim: int, given: int) -> None:
        """Call the module. Raises InputError unless it accepts states and returns values of the right shape."""
        parameter = next(self.module.parameters())
        z = torch.zeros(TRIED, dim + given, dtype=parameter.dtype, device=parameter.device)
        wanted = (TRIED, *self._shape(dim))
        try:
            with torch.no_grad():
                found: object = getattr(self.module, self.method)(z)
        except Exception as error:
            raise InputError(
                f"{type(self.module).__name__}.{self.method} fails for states of shape {tuple(z.shape)}: {error!s:.200}"
            ) from error
        if not isinstance(found, Tensor) or found.shape != wanted:
            told = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else f"a {type(found).__name__}"
            raise InputError(
                f"{type(self.module).__name__}.{self.method} must map states of shape {tuple(z.shape)} to {wanted}, but it "
                f"returns {told}"
            )

    @staticmethod
    def _shape(dim: int) -> tuple[int, ...]:
        return (dim,)


class OwnHamiltonian(OwnField):
    """A module of the user's own whose method ``hamiltonian`` maps states to energies, with Hamilton's equations.

    Parameters
    ----------
    module
        The module, whose method maps tensors of shape ``(..., D + k)`` to energies ``(...)``.
    dim, given
        As in `OwnField`.

    Raises
    ------
    InputError
        As in `OwnField`.
    """

    name = "own-hamiltonian"
    structure = "canonical"
    default_method = "gauss-legendre-4"
    method = "hamiltonian"

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return the energy.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(...)``
            H(q, p).
        """
        found: Tensor = self.module.hamiltonian(z)  # type: ignore[operator]
        return found

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
        given = z[..., self.dim :]
        return symplectic_gradient(lambda x: self.hamiltonian(torch.cat([x, given], dim=-1)), z[..., : self.dim])

    @staticmethod
    def _shape(dim: int) -> tuple[int, ...]:
        return ()


OWN: dict[str, type[OwnField]] = {cls.name: cls for cls in (OwnField, OwnHamiltonian)}


def kind_of(module: nn.Module) -> type[OwnField]:
    """Return the model that a module becomes, which is Hamiltonian if the module has a method ``hamiltonian``."""
    return OwnHamiltonian if callable(getattr(module, "hamiltonian", None)) else OwnField
