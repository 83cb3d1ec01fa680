"""Baselines that any network has to beat: fitted by least squares, in one go."""

from __future__ import annotations

import copy
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb

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

NOTHING = 1e-10  # a column that is so much shorter than the longest holds rounding alone
SINGULAR = 1e-10  # of the singular values of the design: below it is the noise of an integrator with a tolerance of 1e-12


class LeastSquaresModel(Model):
    """A model whose rates are linear in its coefficients.

    Where states leave some coefficients undetermined, as those of a plane leave those of a third dimension, the smallest of
    the solutions that are equally good is taken, with a warning.
    """

    default_method = "gauss-legendre-4"
    baseline = True
    takes_angles = False

    @abstractmethod
    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], *, weighted: bool = False) -> None:
        """Fit the coefficients, after ``standardize``.

        weighted: whether each component of the rates counts in units of its spread, or as it is.

        Raises InputError for fewer different pairs than the coefficients need.
        """

    def _solved(self, design: Float[Tensor, "m k"], target: Float[Tensor, "m j"], z: Tensor) -> Float[Tensor, "k j"]:
        """The coefficients of each column of the design, by least squares in units in which columns have length one."""
        size = design.norm(dim=0)
        used = size > NOTHING * size.max()
        scaled = (design[:, used] / size[used]).cpu()
        limit = max(SINGULAR, 10 * torch.finfo(z.dtype).eps)
        found = torch.linalg.lstsq(scaled, target.cpu(), rcond=limit, driver="gelsd")
        rank, needed = int(found.rank), int(used.sum())
        if rank < len(size):
            different, equations = len(torch.unique(z, dim=0)), len(design) // len(z)
            if different * equations < len(size):
                raise InputError(
                    f"{different} different state{' is' if different == 1 else 's are'} too few for the {len(size)} "
                    f"coefficients of the model {self.name}: give at least {-(-len(size) // equations)}"
                )
        if rank < needed:
            warnings.warn(
                f"the states determine {rank} of the {needed} coefficients of the model {self.name} (combinations of "
                "coordinates do not vary); of the equally good solutions, the smallest is taken",
                stacklevel=outside(),
            )
        solution = torch.zeros(len(size), target.shape[1], dtype=torch.float64, device=design.device)
        solution[used] = found.solution.to(design.device) / size[used].unsqueeze(-1)
        if not torch.isfinite(solution).all():
            raise InputError(f"the coefficients of the model {self.name} overflow: give the data in other units")
        return solution


@register
class LinearModel(LeastSquaresModel):
    """dz/dt = A z + b, the best in the least-squares sense."""

    name = "linear"
    matrix: Tensor
    offset: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("matrix", torch.zeros(dim, dim))
        self.register_buffer("offset", torch.zeros(dim))

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int) -> int:
        """Return the size of A."""
        return dim * dim

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Nothing to scale."""

    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], *, weighted: bool = False) -> None:
        """Fit A and b, which do not depend on how components are weighted."""
        x, y = z.double(), rate.double()
        (scale, still), (size, _) = spread(x, z.dtype), spread(y, rate.dtype)
        u = torch.where(still, 0.0, (x - x.mean(0)) / scale)
        solution = self._solved(torch.cat([u, torch.ones_like(u[:, :1])], dim=-1), y / size, z)
        matrix = size.unsqueeze(-1) * solution[:-1].T / scale
        self.matrix.copy_(matrix)
        self.offset.copy_(size * solution[-1] - matrix @ x.mean(0))

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """A z + b."""
        return z @ self.matrix.T + self.offset


@register
class CubicHamiltonian(LeastSquaresModel):
    """H as a polynomial of degree 3 in q and p, with Hamilton's equations: exact for Henon-Heiles."""

    name = "cubic"
    structure = "canonical"
    factors: Tensor
    coefficients: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        check_even(self.name, dim)
        # A monomial is a product of three of (1, u_1, ..., u_D), of which 1 1 1 is left out: it has no gradient.
        factors = list(combinations_with_replacement(range(dim + 1), 3))[1:]
        self.states = Standard(dim)
        self.register_buffer("factors", nn.functional.one_hot(torch.tensor(factors).T, dim + 1).to(torch.get_default_dtype()))
        self.register_buffer("coefficients", torch.zeros(len(factors)))

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int) -> int:
        """Return the number of monomials in 1 and the coordinates, times that of coordinates."""
        return comb(dim + 3, 3) * dim

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Scale the states, for a well-conditioned fit."""
        self.states.fit(z)

    def solve(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], *, weighted: bool = False) -> None:
        """Fit the coefficients to the rates, in which they are linear."""
        exact = copy.deepcopy(self).double()
        slopes = [exact._gradient(z.double(), unit) for unit in torch.eye(len(self.coefficients), dtype=torch.float64)]
        design = torch.stack([rotate(slope) for slope in slopes], dim=-1)  # (n, D, monomials)
        y = rate.double()
        if weighted:
            size = spread(y, rate.dtype)[0]
            design, y = design / size.unsqueeze(-1), y / size
        self.coefficients.copy_(self._solved(design.flatten(0, 1), y.flatten().unsqueeze(-1), z).squeeze(-1))

    def hamiltonian(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """The fitted energy, up to a constant."""
        a, b, c = self._parts(z)
        return (a * b * c) @ self.coefficients

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """(dH/dp, -dH/dq)."""
        return rotate(self._gradient(z, self.coefficients))

    def _parts(self, z: Float[Tensor, "*batch D"]) -> list[Float[Tensor, "*batch monomials"]]:
        """The three factors of each monomial."""
        u = self.states(z)
        u = torch.cat([torch.ones_like(u[..., :1]), u], dim=-1)
        return [u @ chosen.T for chosen in self.factors]

    def _gradient(self, z: Float[Tensor, "*batch D"], coefficients: Float[Tensor, " monomials"]) -> Float[Tensor, "*batch D"]:
        """By the product rule, one factor at a time."""
        a, b, c = self._parts(z)
        products = (b * c, a * c, a * b)
        slope = sum((coefficients * rest) @ chosen[:, 1:] for rest, chosen in zip(products, self.factors, strict=True))
        return slope / self.states.scale
