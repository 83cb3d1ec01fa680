"""Baselines for networks, fitted by least squares in one step."""

from __future__ import annotations

import copy
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from physlearn.models.hamiltonian import check_even
from physlearn.models.model import Model
from physlearn.models.registry import register
from physlearn.models.scaling import Standard, spread
from systems import InputError
from systems.errors import outside
from systems.hamiltonian_system import rotate

NOTHING = 1e-10  # a column shorter than this fraction of the longest contains only rounding errors
SINGULAR = 1e-10  # relative singular value of the design; smaller ones are noise of an integrator with a tolerance of 1e-12


class LeastSquaresModel(Model):
    """A model whose rates are linear in its coefficients.

    If the states do not determine all coefficients, for example because they lie in a plane, the smallest of the equally good
    solutions is used, with a warning.
    """

    default_method = "gauss-legendre-4"
    baseline = True
    layered = False
    takes_angles = False

    @abstractmethod
    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], *, weighted: bool = False) -> None:
        """Fit the coefficients, after ``standardize``.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt.
        weighted
            Whether to measure the error of each component of the rates in units of its spread.

        Raises
        ------
        InputError
            If there are too few different pairs for the coefficients.
        """

    def _solved(self, design: Float[Tensor, "m k"], target: Float[Tensor, "m j"], z: Tensor) -> Float[Tensor, "k j"]:
        """Return the least-squares coefficients of the columns of the design, which are scaled to length one for the fit."""
        size = design.norm(dim=0)
        used = size > NOTHING * size.max()
        scaled = (design[:, used] / size[used]).cpu()
        limit = max(SINGULAR, 10 * torch.finfo(z.dtype).eps)
        found = torch.linalg.lstsq(scaled, target.cpu(), rcond=limit, driver="gelsd")
        rank, needed = int(found.rank), int(used.sum())
        if rank < len(size):
            require_states(self.name, z, len(size), len(design) // len(z))
        if rank < needed:
            warn_of_rank(self.name, rank, needed)
        solution = torch.zeros(len(size), target.shape[1], dtype=torch.float64, device=design.device)
        solution[used] = found.solution.to(design.device) / size[used].unsqueeze(-1)
        if not torch.isfinite(solution).all():
            raise InputError(f"the coefficients of the model {self.name} overflow: give the data in other units")
        return solution


def require_states(name: str, z: Float[Tensor, "n D"], coefficients: int, equations: int) -> None:
    """Raise InputError if different states, with some equations for each, are too few for the coefficients of a model."""
    different = len(torch.unique(z, dim=0))
    if different * equations < coefficients:
        raise InputError(
            f"{different} different state{' is' if different == 1 else 's are'} too few for the {coefficients} "
            f"coefficients of the model {name}: give at least {-(-coefficients // equations)} different states"
        )


def warn_of_rank(name: str, rank: int, needed: int) -> None:
    """Warn that the states do not determine all coefficients of a model."""
    warnings.warn(
        f"the states determine {rank} of the {needed} coefficients of the model {name}, because combinations of "
        "coordinates do not vary; the smallest of the equally good solutions is used",
        stacklevel=outside(),
    )


@register
class LinearModel(LeastSquaresModel):
    r"""The linear vector field dz/dt = A z + b, fitted by least squares.

    .. math:: \dot z = A z + b

    Parameters
    ----------
    dim
        Number D of coordinates.

    Notes
    -----
    Use it as the baseline for every network, and for small oscillations. A network that does not beat it is not worth using.
    """

    name = "linear"
    matrix: Tensor
    offset: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.zeros(dim, dim))
        self.register_buffer("offset", torch.zeros(dim))

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int) -> int:
        """Return the number of elements of A.

        Parameters
        ----------
        dim
            Number of coordinates.
        hidden, angles
            Not used.

        Returns
        -------
        int
            A lower bound on the number of coefficients.
        """
        return dim * dim

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Do nothing, because the model has no scales.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Not used.
        """

    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], *, weighted: bool = False) -> None:
        """Fit A and b.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt.
        weighted
            Not used, because the solution does not depend on the weights of the components.

        Raises
        ------
        InputError
            If there are too few different pairs for the coefficients.
        """
        x, y = z.double(), rate.double()
        (scale, still), (size, _) = spread(x, z.dtype), spread(y, rate.dtype)
        u = torch.where(still, 0.0, (x - x.mean(0)) / scale)
        solution = self._solved(torch.cat([u, torch.ones_like(u[:, :1])], dim=-1), y / size, z)
        matrix = size.unsqueeze(-1) * solution[:-1].T / scale
        self.matrix.copy_(matrix)
        self.offset.copy_(size * solution[-1] - matrix @ x.mean(0))

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return A z + b.

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
        return z @ self.matrix.T + self.offset


@register
class CubicHamiltonian(LeastSquaresModel):
    r"""Hamilton's equations for a polynomial H(q, p) of degree 3, fitted by least squares; it is exact for Henon-Heiles.

    .. math:: H = \sum_{|e| \le 3} c_e\, z_1^{e_1} \dots z_D^{e_D}

    Parameters
    ----------
    dim
        Number D of coordinates, which must be even.

    Raises
    ------
    InputError
        If the number of coordinates is odd.

    Notes
    -----
    Use it as a baseline for Hamiltonian networks. ``polynomial-hamiltonian`` chooses the degree itself.
    """

    name = "cubic"
    structure = "canonical"
    factors: Tensor
    coefficients: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        check_even(self.name, dim)
        # A monomial is a product of three of (1, u_1, ..., u_D). The constant 1 is left out because it has no gradient.
        factors = list(combinations_with_replacement(range(dim + 1), 3))[1:]
        self.states = Standard(dim)
        self.register_buffer("factors", nn.functional.one_hot(torch.tensor(factors).T, dim + 1).to(torch.get_default_dtype()))
        self.register_buffer("coefficients", torch.zeros(len(factors)))

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int) -> int:
        """Return the number of monomials times the number of coordinates.

        Parameters
        ----------
        dim
            Number of coordinates.
        hidden, angles
            Not used.

        Returns
        -------
        int
            A lower bound on the number of stored values.
        """
        return comb(dim + 3, 3) * dim

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Take the scales of the states from the data, for a well-conditioned fit.

        Parameters
        ----------
        z : shape ``(n, D)``
            States.
        rate : shape ``(n, D)``
            Not used.
        """
        self.states.fit(z)

    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], *, weighted: bool = False) -> None:
        """Fit the coefficients, in which the rates are linear.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt.
        weighted
            Whether to measure the error of each component of the rates in units of its spread.

        Raises
        ------
        InputError
            If there are too few different pairs for the coefficients.
        """
        exact = copy.deepcopy(self).double()
        slopes = [exact._gradient(z.double(), unit) for unit in torch.eye(len(self.coefficients), dtype=torch.float64)]
        design = torch.stack([rotate(slope) for slope in slopes], dim=-1)  # (n, D, monomials)
        y = rate.double()
        if weighted:
            size = spread(y, rate.dtype)[0]
            design, y = design / size.unsqueeze(-1), y / size
        self.coefficients.copy_(self._solved(design.flatten(0, 1), y.flatten().unsqueeze(-1), z).squeeze(-1))

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return the fitted energy, up to a constant.

        Parameters
        ----------
        z : shape ``(..., D)``
            States.

        Returns
        -------
        Tensor, shape ``(...)``
            H(q, p).
        """
        a, b, c = self._parts(z)
        return (a * b * c) @ self.coefficients

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
        return rotate(self._gradient(z, self.coefficients))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        if not torch.equal(state_dict.get(f"{prefix}factors", self.factors).to(self.factors), self.factors):
            raise InputError(f"the factors of the model {self.name} are not those of {len(self.states.scale)} coordinates")
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _parts(self, z: Float[Tensor, "*batch D"]) -> list[Float[Tensor, "*batch monomials"]]:
        """Return the three factors of each monomial."""
        u = self.states(z)
        u = torch.cat([torch.ones_like(u[..., :1]), u], dim=-1)
        return [u @ chosen.T for chosen in self.factors]

    def _gradient(self, z: Float[Tensor, "*batch D"], coefficients: Float[Tensor, " monomials"]) -> Float[Tensor, "*batch D"]:
        """Return the gradient of H by the product rule, one factor at a time."""
        a, b, c = self._parts(z)
        products = (b * c, a * c, a * b)
        slope = sum((coefficients * rest) @ chosen[:, 1:] for rest, chosen in zip(products, self.factors, strict=True))
        return slope / self.states.scale
