"""Libraries of functions in which a field or a Hamiltonian is linear: products of coordinates, cosines and sines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations_with_replacement, product
from math import comb

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.models.inputs import NO_ANGLES, Angles, Inputs

Term = tuple[int, ...]


class Library:
    r"""Products of powers of features, which are the coordinates and, for angles, their cosines and sines.

    .. math:: \varphi_e(z) = \prod_i x_i(z)^{e_i}, \qquad x = (z_1, \dots, \cos k_i z_i, \dots, z_n, \sin k_i z_i, \dots)

    The features are those of `physlearn.models.inputs.Inputs`. A sine has at most the power one, because its square is one
    minus that of the cosine. The products of up to some degree therefore contain all of their own derivatives.

    Parameters
    ----------
    terms : sequence of tuple of int
        The exponents e of each product, one per feature.
    size : int
        Number n of coordinates.
    angles : mapping of int to float
        Periods of the coordinates that are angles, by index.

    Attributes
    ----------
    places : list of int
        The place of each product among those of ``factors``.
    """

    def __init__(self, terms: Sequence[Term], size: int, angles: Angles = NO_ANGLES) -> None:
        self.terms, self.size, self.angles = tuple(terms), size, dict(angles)
        self._inputs = Inputs(size, angles)
        everything = _ordered(_divisors(self.terms) | {(0,) * (size + len(angles))})
        place = {term: i for i, term in enumerate(everything)}
        # each product is another one times a feature; those of the same degree are computed together
        levels: list[tuple[list[int], list[int]]] = []
        for term in everything[1:]:
            if sum(term) > len(levels):
                levels.append(([], []))
            feature, rest = _reduced(term)
            levels[-1][0].append(place[rest])
            levels[-1][1].append(feature)
        self.places = [place[term] for term in self.terms]
        whole = self.places == list(range(len(everything)))
        self._chosen = None if whole else torch.tensor(self.places, dtype=torch.long)
        self._indices = [(torch.tensor(rest), torch.tensor(feature)) for rest, feature in levels]

    @classmethod
    def complete(cls, degree: int, size: int, angles: Angles = NO_ANGLES) -> Library:
        """Return the library of all products of a degree of at most ``degree``, ordered by degree, the constant first."""
        width = size + len(angles)
        factors = (one for total in range(degree + 1) for one in combinations_with_replacement(range(width), total))
        terms = (tuple(one.count(i) for i in range(width)) for one in factors)
        return cls([term for term in terms if all(e <= 1 for e in term[size:])], size, angles)

    @staticmethod
    def count(degree: int, size: int, angles: int = 0) -> int:
        """Return the number of products of a complete library."""
        return sum(comb(angles, sines) * comb(size + degree - sines, size) for sines in range(min(angles, degree) + 1))

    def __len__(self) -> int:
        return len(self.terms)

    @cached_property
    def degrees(self) -> list[int]:
        """The degree of each product."""
        return [sum(term) for term in self.terms]

    @property
    def factors(self) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
        """How the products follow from each other: each but the first, the constant, is another one times a feature.

        The products are those at ``places``, and others from which they are computed.
        """
        levels = [[torch.zeros(1, dtype=torch.long)] * 2, *self._indices]
        rest, feature = (torch.cat(parts).numpy() for parts in zip(*levels, strict=True))
        return rest, feature

    def values(self, z: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch k"]:
        """Return the products at some states."""
        x = self._inputs.features(z)
        found = torch.ones_like(x[..., :1])
        for rest, feature in self._indices:
            rest, feature = rest.to(z.device), feature.to(z.device)
            found = torch.cat([found, found.index_select(-1, rest) * x.index_select(-1, feature)], dim=-1)
        return found if self._chosen is None else found.index_select(-1, self._chosen.to(z.device))

    def derivative(self, term: Term, i: int) -> dict[Term, float]:
        """Return the derivative of a product by a coordinate, as coefficients of other products."""
        found: dict[Term, float] = {}
        if i not in self.angles:
            if term[i]:
                found[_changed(term, {i: -1})] = float(term[i])
            return found
        k, sine = self._inputs.angles[i], self.size + list(self._inputs.angles).index(i)
        cosines, sines = term[i], term[sine]
        if sines:  # (c^a s)' = c^(a + 1) - a c^(a - 1) s^2, with s^2 = 1 - c^2
            found[_changed(term, {i: 1, sine: -1})] = k * (1.0 + cosines)
            if cosines:
                found[_changed(term, {i: -1, sine: -1})] = -k * cosines
        elif cosines:
            found[_changed(term, {i: -1, sine: 1})] = -k * cosines
        return found

    def closed(self) -> Library:
        """Return the library of these products, all of their derivatives, and the derivatives of those."""
        found, new = set(self.terms), set(self.terms)
        while new:
            new = {other for term in new for i in range(self.size) for other in self.derivative(term, i)} - found
            found |= new
        return Library(_ordered(found), self.size, self.angles)

    def slopes(self, i: int) -> Float[np.ndarray, "k k"]:
        """Return the derivatives of all products by a coordinate, one per row; the library must contain them."""
        place = {term: j for j, term in enumerate(self.terms)}
        found = np.zeros((len(self), len(self)))
        for row, term in enumerate(self.terms):
            for other, factor in self.derivative(term, i).items():
                found[row, place[other]] += factor
        return found

    def shifted(
        self, center: Float[np.ndarray, " n"], scale: Float[np.ndarray, " n"]
    ) -> tuple[Library, Float[np.ndarray, "m k"]]:
        """Return the library of z in which the products of (z - center) / scale are linear, and the matrix that says how.

        Angles keep their origin: their periods change with the scale, and their center must be 0.
        """
        parts = []
        for term in self.terms:
            options = []
            for i, e in enumerate(term):
                if i >= self.size or i in self.angles:
                    options.append([(e, 1.0)])
                elif center[i] == 0:
                    options.append([(e, float(scale[i]) ** -e)])
                else:
                    options.append(
                        [(m, comb(e, m) * float(-center[i]) ** (e - m) / float(scale[i]) ** e) for m in range(e, -1, -1)]
                    )
            parts.append([(tuple(m for m, _ in one), float(np.prod([f for _, f in one]))) for one in product(*options)])
        terms = _ordered({term for part in parts for term, _ in part})
        place = {term: j for j, term in enumerate(terms)}
        matrix = np.zeros((len(terms), len(self)))
        for column, part in enumerate(parts):
            for term, factor in part:
                matrix[place[term], column] += factor
        return Library(terms, self.size, {i: period * float(scale[i]) for i, period in self.angles.items()}), matrix


def hamiltonian_field(library: Library) -> tuple[Library, Float[np.ndarray, "k m D"]]:
    """Return the library of Hamilton's equations, and the field that each product gives as a Hamiltonian, in that library."""
    size, half = library.size, library.size // 2
    slopes = [[library.derivative(term, i) for i in range(size)] for term in library.terms]
    terms = _ordered({t for row in slopes for part in row for t in part})
    terms = terms or [(0,) * (size + len(library.angles))]
    place = {term: j for j, term in enumerate(terms)}
    found = np.zeros((len(library), len(terms), size))
    for k, row in enumerate(slopes):
        for i, part in enumerate(row):
            target, sign = (i + half, -1.0) if i < half else (i - half, 1.0)
            for term, factor in part.items():
                found[k, place[term], target] += sign * factor
    return Library(terms, size, library.angles), found


def _ordered(terms: Iterable[Term]) -> list[Term]:
    """Return products by degree, and those of the same degree with high powers of the first features first."""
    return sorted(terms, key=lambda term: (sum(term), [-e for e in term]))


def _changed(term: Term, by: dict[int, int]) -> Term:
    return tuple(e + by.get(i, 0) for i, e in enumerate(term))


def _reduced(term: Term) -> tuple[int, Term]:
    """Return the last feature of a product, and the product without it."""
    feature = max(i for i, e in enumerate(term) if e)
    return feature, _changed(term, {feature: -1})


def _divisors(terms: Sequence[Term]) -> set[Term]:
    """Return the products and all from which they are computed, one feature after another."""
    return {one for term in terms for one in _chain(term)}


def _chain(term: Term) -> Iterator[Term]:
    yield term
    while any(term):
        _, term = _reduced(term)
        yield term
