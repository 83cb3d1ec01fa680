"""Sparse vector fields and Hamiltonians: few terms of a library, which the data need."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.library_model import LibraryModel
from physlearn.models.registry import register
from physlearn.models.scaling import spread
from physlearn.models.term_selection import Selection, select
from systems import InputError

HIGHEST, MOST_COEFFICIENTS = 5, 100  # the default degree is the highest one, up to 5, with no more coefficients
GROUPS = 20  # of successive pairs that are drawn together
EXACT = 1e-9  # noise of rates, relative to their spread, that cannot be told from rounding
ROUNDS = 5  # in which the noise is estimated again


class SparseModel(LibraryModel):
    """Base class of models with few terms. Coordinates that have a period enter by their cosines and sines."""

    natural_angles = True

    @property
    def highest(self) -> int:
        """The degree of the library: the one that was asked for, or the highest one with not too many coefficients."""
        if self.degree is not None:
            return self.degree
        columns = 1 if self.is_hamiltonian() else self.dim
        fitting = [
            degree for degree in range(self.lowest(), HIGHEST + 1) if columns * self.products(degree) <= MOST_COEFFICIENTS
        ]
        return max(fitting, default=self.lowest())

    def solve(
        self,
        z: Float[Tensor, "n D"],
        rate: Float[Tensor, "n D"],
        *,
        weighted: bool = False,
        held: tuple[Tensor, Tensor] | None = None,
        noise: Float[Tensor, " D"] | None = None,
    ) -> None:
        """Choose terms, and fit their coefficients to rates.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt.
        weighted, held
            Not used, because the noise of each rate is estimated, and all pairs count.
        noise : shape ``(D,)``, optional
            Least standard deviation of the rates, if it is known.

        Raises
        ------
        InputError
            If there are too few pairs for the coefficients.
        """
        z, rate = z.double(), rate.double()
        library, field = self.library(self.highest), self.field(self.highest)
        design = field.design(z)
        require(self.name, len(torch.unique(z, dim=0)) * self.dim, len(field))
        least = EXACT * spread(rate)[0]
        least = least if noise is None else torch.maximum(least, noise)
        chosen = list(range(len(field)))
        group = torch.arange(len(z)) * min(GROUPS, len(z)) // len(z)
        for _ in range(ROUNDS):
            before, (_, left) = chosen, _fitted(design, rate, chosen, least)
            chosen = _selected(design / left.unsqueeze(-1), rate / left, group).chosen
            if not chosen or chosen == before:
                break
        values, left = _fitted(design, rate, chosen, least)
        rows = (design[..., chosen] / left.unsqueeze(-1)).flatten(0, 1)
        self.adopt(
            library, chosen, values, torch.linalg.pinv(rows.T @ rows, hermitian=True), told_terms(len(chosen), len(field))
        )

    def refitted(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> Float[Tensor, " P"]:
        """Return the coefficients of the present terms that fit other rates best; the model keeps its own.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt, float64.

        Returns
        -------
        Tensor, shape ``(P,)``
            The coefficients.
        """
        design = self.present().design(z)
        return _fitted(design, rate, list(range(design.shape[-1])), EXACT * spread(rate)[0])[0]


def require(name: str, equations: int, coefficients: int) -> None:
    """Raise InputError if there are fewer equations than coefficients."""
    if equations < coefficients:
        raise InputError(
            f"{equations} measured values are too few to choose among the {coefficients} coefficients of the model {name}: "
            "give more states, or a lower degree"
        )


def told_terms(count: int, among: int) -> str:
    """Return a sentence that says how the terms were chosen."""
    return f"{count} of {among} coefficients, chosen by their significance and its stability over parts of the data"


def _fitted(
    design: Float[Tensor, "n D P"], rate: Float[Tensor, "n D"], chosen: list[int], least: Float[Tensor, " D"]
) -> tuple[Float[Tensor, " p"], Float[Tensor, " D"]]:
    """Return the chosen coefficients, and the noise of each rate that they leave, by least squares with weights."""
    noise, values = spread(rate)[0], torch.zeros(len(chosen), dtype=torch.float64)
    for _ in range(3):
        rows = (design[..., chosen] / noise.unsqueeze(-1)).flatten(0, 1)
        size = rows.norm(dim=0)
        size = torch.where(size > 0, size, 1.0)
        values = torch.linalg.lstsq(rows / size, (rate / noise).reshape(-1, 1), driver="gelsd").solution[:, 0] / size
        left = (rate - design[..., chosen] @ values).square().sum(0)
        noise = torch.maximum((left / max(1, len(rate) - len(chosen) / rate.shape[1])).sqrt(), least)
    return values, noise


def _selected(design: Float[Tensor, "n D P"], rate: Float[Tensor, "n D"], group: Tensor) -> Selection:
    matrix, right = [], []
    for g in range(int(group.max()) + 1):
        rows, wanted = design[group == g].flatten(0, 1), rate[group == g].flatten()
        matrix.append(rows.T @ rows)
        right.append(rows.T @ wanted)
    zero = torch.zeros(design.shape[-1], dtype=torch.float64)
    return select(torch.stack(matrix).numpy(), torch.stack(right).numpy(), zero.numpy(), rate.numel())


@register
class SparseField(SparseModel):
    r"""A vector field of few terms: products of coordinates, and of the cosines and sines of angles.

    .. math:: \dot z_i = \sum_k \xi_{ik}\, \theta_k(z), \quad \text{most } \xi_{ik} = 0

    Terms are chosen by their significance and its stability over parts of the data, and fitted without shrinkage. The origin
    of the coordinates matters, because a shifted polynomial has other terms.

    Parameters
    ----------
    dim, angles, degree
        Number of coordinates, periods of those that are angles, and the degree. By default, it is the highest one, up to 5,
        with at most 100 coefficients.

    Notes
    -----
    Use it when the law is a short sum of terms and you want to read it: the fit gives each coefficient with its confidence
    interval.

    References
    ----------
    Brunton, Proctor and Kutz, PNAS 113, 3932 (2016). Messenger and Bortz, J. Comput. Phys. 443, 110525 (2021).
    """

    name = "sparse"
    structure = "origin"


@register
class SparseHamiltonian(SparseModel):
    r"""Hamilton's equations for an H(q, p) of few terms: products of coordinates, and of the cosines and sines of angles.

    .. math:: H = \sum_k \xi_k\, \theta_k(q, p), \quad \text{most } \xi_k = 0

    Parameters
    ----------
    dim, angles, degree
        Number of coordinates, periods of those that are angles, and the degree. By default, it is the highest one, up to 5,
        with at most 100 coefficients.

    Notes
    -----
    Use it when an energy is conserved, its formula is short, and you want to read it.
    """

    name = "sparse-hamiltonian"
    structure = "canonical-origin"

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
