"""The base class of models that are linear in the coefficients of a library of functions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.models.hamiltonian import check_even
from physlearn.models.inputs import NO_ANGLES, Angles
from physlearn.models.library import Library, hamiltonian_field
from physlearn.models.linear_field import LinearField
from physlearn.models.model import Model
from systems import InputError
from systems.scalars import whole

BUFFERS = ("terms", "coefficients", "free", "covariance")
MOST_TERMS = 2000  # products of a library
WORTH = 210  # products of the lowest degree in a comparison of models
MOST_POWER = 100  # exponent in a file
KEPT_COVARIANCE = 400  # coefficients up to which their covariance is kept


class LibraryModel(Model):
    """A vector field, or a Hamiltonian, that is a sum of products of coordinates, cosines and sines with fitted coefficients.

    Coefficients stay in double precision, whatever the type of the states is.

    Parameters
    ----------
    dim
        Number D of coordinates.
    angles
        Periods of the coordinates that enter by their cosines and sines, by index.
    degree
        Highest degree of the products; None chooses it.

    Raises
    ------
    InputError
        If the number of coordinates is odd, but the model needs momenta, or if there are too many products.
    """

    default_method = "gauss-legendre-6"
    baseline = True
    options: ClassVar[Mapping[str, Any]] = {"degree": None}
    natural_angles: ClassVar[bool] = False
    longest_step: ClassVar[float] = 0.05  # of forecasts, in units of the time scale: as accurate as the coefficients
    terms: Tensor
    coefficients: Tensor
    free: Tensor
    covariance: Tensor

    def __init__(self, dim: int, angles: Angles = NO_ANGLES, *, degree: int | None = None) -> None:
        super().__init__()
        if self.needs_momenta():
            check_even(self.name, dim)
        self.dim, self.angles, self.degree = dim, dict(angles), degree
        least = degree or self.lowest()
        if (count := Library.count(least, dim, len(angles))) > MOST_TERMS:
            raise InputError(
                f"the model {self.name} has {count} terms of degree {least} for {dim} coordinates, but at most {MOST_TERMS} "
                "can be fitted: give a lower degree, or use a network"
            )
        self.told = ""  # how the terms were chosen
        columns = 1 if self.is_hamiltonian() else dim
        shapes = ((0, dim + len(angles)), (0, columns), (0, columns), (0, 0))
        for name, shape in zip(BUFFERS, shapes, strict=True):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))
        self._settle()

    @classmethod
    def lowest(cls) -> int:
        """Return the lowest degree that gives a flow."""
        return 2 if cls.is_hamiltonian() else 1

    @classmethod
    def applies(cls, dim: int) -> bool:
        """Return whether the lowest degree has a few hundred terms at most.

        Parameters
        ----------
        dim
            Number of coordinates.

        Returns
        -------
        bool
            Whether it has.
        """
        return Library.count(cls.lowest(), dim) <= WORTH

    @classmethod
    def check_options(cls, options: Mapping[str, Any]) -> None:
        """Raise InputError unless the degree is None or a positive number, at least 2 for a Hamiltonian.

        Parameters
        ----------
        options
            The option ``degree``.
        """
        degree = options["degree"]
        if degree is not None and not cls.lowest() <= whole("degree", degree) <= MOST_POWER:
            raise InputError(f"degree must be from {cls.lowest()} to {MOST_POWER} for the model {cls.name}, not {degree}")

    @classmethod
    def fewest_numbers(cls, dim: int, hidden: Sequence[int], angles: int, **options: Any) -> int:
        """Return the number of coordinates, as a model may have no terms.

        Parameters
        ----------
        dim
            Number of coordinates.
        hidden, angles, **options
            Not used.

        Returns
        -------
        int
            A lower bound on the number of stored values.
        """
        return dim

    @abstractmethod
    def solve(
        self,
        z: Float[Tensor, "n D"],
        rate: Float[Tensor, "n D"],
        *,
        weighted: bool = False,
        held: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """Fit the coefficients to rates.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt.
        weighted
            Whether to measure the error of each component of the rates in units of its spread.
        held
            Held-out states and rates.
        """

    def standardize(self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]) -> None:
        """Do nothing, because the model has no scales.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            Not used.
        """

    def products(self, degree: int) -> int:
        """Return the number of products up to a degree, with the constant.

        Parameters
        ----------
        degree
            The degree.

        Returns
        -------
        int
            Their number.
        """
        return Library.count(degree, self.dim, len(self.angles))

    def library(self, degree: int) -> Library:
        """Return all products up to a degree.

        Parameters
        ----------
        degree
            The degree.

        Returns
        -------
        Library
            The products, of which the first is the constant.
        """
        return Library.complete(degree, self.dim, self.angles)

    def field(self, degree: int, drift: Tensor | None = None, moving: Tensor | None = None) -> LinearField:
        """Return the field with all coefficients up to a degree, float64.

        Parameters
        ----------
        degree
            The degree.
        drift, moving : shape ``(D,)``, optional
            Known rates, and factors of the others; see `physlearn.models.units.Units`.

        Returns
        -------
        LinearField
            The field.
        """
        drift = torch.zeros(self.dim, dtype=torch.float64) if drift is None else drift
        moving = torch.ones(self.dim, dtype=torch.float64) if moving is None else moving
        return LinearField.of(self.library(degree), self.is_hamiltonian(), drift, moving)

    def present(self) -> LinearField:
        """Return the field with the present terms, float64.

        Returns
        -------
        LinearField
            The field, with one coefficient for each that is free.
        """
        zero, one = torch.zeros(self.dim, dtype=torch.float64), torch.ones(self.dim, dtype=torch.float64)
        exponents = [tuple(e) for e in self.terms.round().long().tolist()]
        if self.is_hamiltonian():
            constant = (0,) * (self.dim + len(self.angles))
            return LinearField.of(Library([constant, *exponents], self.dim, self.angles), True, zero, one)
        chosen = torch.where(self.free.flatten() > 0)[0].tolist()
        return LinearField.of(Library(exponents, self.dim, self.angles), False, zero, one).among(chosen)

    def adopt(
        self,
        library: Library,
        chosen: Sequence[int],
        values: Float[Tensor, " P"],
        covariance: Float[Tensor, "P P"] | None = None,
        told: str = "",
    ) -> None:
        """Take coefficients.

        Parameters
        ----------
        library
            Products, of which the first is the constant.
        chosen
            The coefficients of ``LinearField.of(library, ...)`` that are not zero.
        values : shape ``(P,)``
            Their values.
        covariance : shape ``(P, P)``, optional
            Their covariance, which is kept if they are not too many.
        told
            How they were chosen.
        """
        columns, terms = self.coefficients.shape[1], library.terms[1:] if self.is_hamiltonian() else library.terms
        matrix, free = (torch.zeros(len(terms), columns, dtype=torch.float64) for _ in range(2))
        index = torch.tensor(list(chosen), dtype=torch.long)
        matrix.view(-1)[index], free.view(-1)[index] = values.double(), 1.0
        used = free.any(1)
        exponents = torch.tensor(terms, dtype=torch.float64).reshape(len(terms), -1)
        keep = covariance is not None and len(index) <= KEPT_COVARIANCE
        found = (exponents[used], matrix[used], free[used], covariance if keep else torch.zeros(0, 0, dtype=torch.float64))
        for name, tensor in zip(BUFFERS, found, strict=True):
            self._buffers[name] = tensor.to(self.coefficients.device)  # type: ignore[union-attr]
        self.told = told
        self._settle()

    def hamiltonian_values(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch"]:
        """Return the sum of the products with their coefficients, for models that are Hamiltonian."""
        return self._products.values(z) @ self.coefficients[:, 0].to(z.dtype)

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return dz/dt.

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
        return self._rates.values(z) @ self._matrix.to(z)

    def _settle(self) -> None:
        """Prepare the field for the present coefficients."""
        exponents = self.terms.round().long().tolist()
        self._products = Library([tuple(e) for e in exponents], self.dim, self.angles)
        self._rates, self._matrix = self._products, self.coefficients
        if self.is_hamiltonian() and exponents:
            self._rates, parts = hamiltonian_field(self._products)
            self._matrix = torch.einsum("k,kmd->md", self.coefficients[:, 0].cpu(), torch.from_numpy(parts))
        elif self.is_hamiltonian():
            self._matrix = torch.zeros(0, self.dim, dtype=torch.float64)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> LibraryModel:
        device = fn(torch.empty(0, device=self.coefficients.device)).device
        dtype = torch.float32 if device.type == "mps" else torch.float64
        for name in BUFFERS:
            self._buffers[name] = getattr(self, name).to(device, dtype)
        self._settle()
        return self

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        missing = args[2]
        found = [state_dict.get(prefix + name) for name in BUFFERS]
        if absent := [prefix + name for name, tensor in zip(BUFFERS, found, strict=True) if tensor is None]:
            missing += absent
            return
        terms, coefficients, free, covariance = (tensor.double() for tensor in found if tensor is not None)
        columns, width, p = self.coefficients.shape[1], self.dim + len(self.angles), int(free.sum()) if free.numel() else 0
        right = (
            terms.shape == (len(terms), width)
            and coefficients.shape == free.shape == (len(terms), columns)
            and covariance.shape in ((p, p), (0, 0))
            and len(terms) <= MOST_TERMS
            and bool((terms.sum(1) <= (self.degree or inf)).all())
            and bool(((terms >= 0) & (terms <= MOST_POWER) & (terms == terms.round())).all())
            and bool((terms[:, self.dim :] <= 1).all())
            and bool(((free == 0) | (free == 1)).all())
            and len(torch.unique(terms, dim=0)) == len(terms)
        )
        if not right:
            raise InputError(
                f"the terms and coefficients of the model {self.name} do not match its {self.dim} coordinates and its "
                "options: write the file again"
            )
        for name, tensor in zip(BUFFERS, (terms, coefficients, free, covariance), strict=True):
            self._buffers[name] = tensor.to(self.coefficients.device)
        self._settle()
