"""Fields that are linear in their coefficients, with the derivatives that fits need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.library import Library, hamiltonian_field


class LinearField:
    r"""A field that is linear in P coefficients.

    .. math:: \dot z_d = m_d \sum_{p, k} c_p M_{pkd}\, \varphi_k(z) + b_d

    Parameters
    ----------
    library : Library
        The functions :math:`\varphi_k`, of which there are K, with all of their derivatives.
    parts : shape ``(P, K, D)``
        M, float64.
    drift, moving : shape ``(D,)``
        b and m, of `physlearn.models.units.Units`.
    """

    def __init__(
        self, library: Library, parts: Float[Tensor, "P K D"], drift: Float[Tensor, " D"], moving: Float[Tensor, " D"]
    ) -> None:
        self.library, self.parts, self.drift = library, parts * moving, drift

    @cached_property
    def slopes(self) -> Float[Tensor, "D K K"]:
        """The derivatives of the products by the coordinates, which the library must contain."""
        return torch.stack([torch.from_numpy(self.library.slopes(i)) for i in range(self.dim)])

    @classmethod
    def of(cls, library: Library, hamiltonian: bool, drift: Float[Tensor, " D"], moving: Float[Tensor, " D"]) -> LinearField:
        """Return the field with a coefficient for each product and coordinate, or for each product of a Hamiltonian.

        The constant product of a Hamiltonian, which is the first, has no coefficient. Otherwise, coefficients of the same
        product follow each other.
        """
        k, d = len(library), library.size
        if not hamiltonian:
            return cls(library, torch.eye(k * d, dtype=torch.float64).reshape(k * d, k, d), drift, moving)
        terms, parts = hamiltonian_field(Library(library.terms[1:], d, library.angles))
        return cls(terms, torch.from_numpy(parts), drift, moving)

    def among(self, chosen: Sequence[int]) -> LinearField:
        """Return the field with some of the coefficients only, and with no more products than these need."""
        parts = self.parts[list(chosen)]
        used = parts.abs().sum((0, 2)) > 0
        library = Library(
            [t for t, u in zip(self.library.terms, used.tolist(), strict=True) if u], self.dim, self.library.angles
        )
        library = library.closed() if len(library) else Library.complete(0, self.dim, self.library.angles)
        place = {term: k for k, term in enumerate(library.terms)}
        found = torch.zeros(len(parts), len(library), self.dim, dtype=torch.float64)
        for k, term in enumerate(self.library.terms):
            if term in place:
                found[:, place[term]] = parts[:, k]
        return LinearField(library, found, self.drift, torch.ones_like(self.drift))

    def __len__(self) -> int:
        return len(self.parts)

    @property
    def dim(self) -> int:
        """The number D of coordinates."""
        return self.library.size

    def design(self, z: Float[Tensor, "n D"]) -> Float[Tensor, "n D P"]:
        """Return the derivatives of the rates by the coefficients."""
        values, (p, k, d) = self.library.values(z), self.parts.shape
        return (values @ self.parts.permute(1, 2, 0).reshape(k, d * p)).reshape(len(z), d, p)

    def matrix(self, coefficients: Float[Tensor, " P"]) -> Float[Tensor, "K D"]:
        """Return the coefficients of the products."""
        return torch.einsum("p,pkd->kd", coefficients, self.parts)

    def by_state(self, coefficients: Float[Tensor, " P"]) -> Float[Tensor, "D D K"]:
        """Return the coefficients of the products in the derivatives of the rates (first axis) by the coordinates."""
        return torch.einsum("irk,rd->dik", self.slopes, self.matrix(coefficients))
