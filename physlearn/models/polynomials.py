"""Polynomial vector fields and Hamiltonians, fitted by least squares."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.baselines import require_states, warn_of_rank
from physlearn.models.degree_selection import best_polynomial
from physlearn.models.library_model import LibraryModel
from physlearn.models.registry import register
from physlearn.models.scaling import spread

MOST_COMPARED = 210  # terms of the highest degree that is tried
HIGHEST = 8  # degree that is tried
OVERDETERMINED = 2  # equations per coefficient that a degree needs in order to be tried


class PolynomialModel(LibraryModel):
    """Base class of models with all products up to a degree, which is chosen by the error on held-out data."""

    def degrees(self, equations: int, most: int = MOST_COMPARED) -> list[int]:
        """Return the degrees to compare, or the degree that was asked for.

        Parameters
        ----------
        equations
            Number of equations for the coefficients.
        most
            Largest number of terms.

        Returns
        -------
        list of int
            Degrees, the lowest first.
        """
        if self.degree is not None:
            return [self.degree]
        first = self.lowest()
        sizes = {degree: self.products(degree) for degree in range(first, HIGHEST + 1)}
        return [d for d, count in sizes.items() if d == first or (count <= most and OVERDETERMINED * count <= equations)]

    def solve(
        self,
        z: Float[Tensor, "n D"],
        rate: Float[Tensor, "n D"],
        *,
        weighted: bool = False,
        held: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """Fit the degree and the coefficients to rates.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt.
        weighted
            Whether to measure the error of each component of the rates in units of its spread.
        held
            Held-out states and rates by which the degree and the ridge are chosen; by default, a fifth of the pairs.

        Raises
        ------
        InputError
            If there are too few different pairs for the coefficients.
        """
        canonical, z, rate = self.is_hamiltonian(), z.double(), rate.double()
        size = spread(rate)[0] if weighted and canonical else torch.ones(self.dim, dtype=torch.float64)
        each = self.dim if canonical else 1
        degrees = self.degrees(each * len(z))
        library = self.library(degrees[-1])
        field = self.field(degrees[-1]) if canonical else None

        def design(states: Tensor) -> Tensor:
            if field is None:
                return library.values(states)
            return (field.design(states) / size.unsqueeze(-1)).flatten(0, 1)

        def target(rates: Tensor) -> Tensor:
            return (rates / size).reshape(-1, 1) if canonical else rates

        sizes = {d: self.products(d) - canonical for d in degrees}
        other = None if held is None else (held[0].double(), target(held[1].double()))
        found = best_polynomial(design, z, target(rate), sizes, other)
        k = sizes[found.degree]
        if found.rank < k:
            require_states(self.name, z, k, each)
            warn_of_rank(self.name, found.rank, k)
        covariance = torch.kron(found.covariance, torch.diag(found.variance)) if k * len(found.variance) <= 400 else None
        values = found.coefficients.flatten()
        self.adopt(library, range(len(values)), values, covariance, told_degree(found.degree, found.tried, found.ridge))


def told_degree(degree: int, tried: list[int], ridge: float | None = None) -> str:
    """Return a sentence that says how a polynomial was chosen."""
    how = f", chosen among {tried[0]} to {tried[-1]} by the error on held-out data" if len(tried) > 1 else ""
    return f"degree {degree}{how}" + (f"; ridge {ridge:.0e}" if ridge else "")


@register
class PolynomialField(PolynomialModel):
    r"""A polynomial vector field, fitted by least squares.

    .. math:: \dot z_i = \sum_{|e| \le d} c_{ie}\, z_1^{e_1} \dots z_D^{e_D}

    The degree d and a ridge are chosen by the error on held-out data, unless the degree is given. The fit uses orthogonal
    transformations of standardised coordinates. Coordinates that are treated as angles enter by their cosines and sines.

    Parameters
    ----------
    dim, angles, degree
        Number of coordinates, periods of those that are angles, and the degree, which is chosen by default.

    Notes
    -----
    Use it when the field is smooth and has few coordinates, and as a baseline for networks: it is often exact where they are
    approximate.
    """

    name = "polynomial"


@register
class PolynomialHamiltonian(PolynomialModel):
    r"""Hamilton's equations for a polynomial H(q, p), fitted by least squares.

    .. math:: H = \sum_{|e| \le d} c_e\, z_1^{e_1} \dots z_D^{e_D}

    The degree and a ridge are chosen by the error on held-out data, unless the degree is given.

    Parameters
    ----------
    dim, angles, degree
        Number of coordinates, periods of those that are angles, and the degree, which is chosen by default.

    Notes
    -----
    Use it when an energy is conserved and H is smooth with few coordinates, and as a baseline for Hamiltonian networks.
    """

    name = "polynomial-hamiltonian"
    structure = "canonical"

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
        return self.hamiltonian_values(z)
