"""Monomials of several variables up to a degree, ordered by degree."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb

import torch
from jaxtyping import Float
from torch import Tensor


class Monomials:
    """All products of at most ``degree`` of n variables: 1, the variables, the products of two, and so on.

    Those of a lower degree come first, and the monomials of degree d are those of degree d - 1 times a variable, so that each
    costs one multiplication.

    Parameters
    ----------
    variables
        Number n of variables.
    degree
        Largest degree.

    Examples
    --------
    >>> Monomials(2, 2)(torch.tensor([2.0, 3.0]))
    tensor([1., 2., 3., 4., 6., 9.])
    """

    def __init__(self, variables: int, degree: int) -> None:
        self.variables, self.degree = variables, degree
        self.products: list[tuple[Tensor, Tensor]] = []  # for each degree: places among those of the degree below, variables
        below: dict[tuple[int, ...], int] = {(): 0}
        for d in range(1, degree + 1):
            found = list(combinations_with_replacement(range(variables), d))
            places = [below[product[:-1]] for product in found]
            self.products.append((torch.tensor(places), torch.tensor([product[-1] for product in found])))
            below = {product: i for i, product in enumerate(found)}

    def __len__(self) -> int:
        return count(self.variables, self.degree)

    def __call__(self, x: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch terms"]:
        """Return the monomials of x."""
        columns = [torch.ones_like(x[..., :1])]
        for places, variables in self.products:
            columns.append(columns[-1][..., places] * x[..., variables])
        return torch.cat(columns, dim=-1)


def count(variables: int, degree: int) -> int:
    """Return the number of monomials.

    >>> count(3, 5)
    56
    """
    return comb(variables + degree, degree)
