"""The equations that a forecaster has learned: its own terms, or those of a library that fit its network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import t as student
from torch import Tensor

from physlearn.analysis.formulas import Equations, equations_of
from physlearn.models.library import Library
from physlearn.models.library_model import LibraryModel
from physlearn.models.physical import PhysicalModel
from physlearn.models.sparse import SparseField, SparseHamiltonian, SparseModel
from physlearn.models.units import Units
from systems import InputError, Orbit
from systems.autograd_mode import unrecorded

STATES = 300  # states at which a learned field is compared with a library: its errors are smooth, so more add little
LEAST_EXPLAINED = 0.9  # part of the variance of each rate
NEGLIGIBLE = 1e-12  # variance of a rate that is constant, relative to that of all


class Learned(Protocol):
    """The attributes of a forecaster that this module uses."""

    name: str
    coordinates: tuple[str, ...]
    periods: dict[str, float]
    members: list[PhysicalModel]

    @property
    def model(self) -> PhysicalModel:
        """The trained model."""

    def vector_field(self, t: float, z: Tensor) -> Tensor:
        """Return the learned rates."""


@unrecorded
def equations(
    forecaster: Learned, orbits: Orbit | Sequence[Orbit] | None = None, *, degree: int | None = None, level: float = 0.95
) -> Equations:
    """Return the equations that a forecaster has learned.

    Polynomials and sparse models have terms of their own, whose intervals come from the noise of the data; they hold if the
    noise is independent and the model has all terms that the system has. For a network, the learned field (or that of the
    learned Hamiltonian) is fitted by few terms, over the region of some orbits. Its intervals are those of the spread
    between the members of an ensemble, and NaN if there is one network.

    Parameters
    ----------
    forecaster
        A trained `~physlearn.forecasting.Forecaster`.
    orbits
        For a network: orbits in the region in which the equations are wanted, such as those of the training. If they have
        rates, terms that are smaller than the error of the network are left out.
    degree
        For a network: highest degree of the terms. By default, it is the highest one, up to 5, with at most 100 coefficients.
    level
        Level of the confidence intervals.

    Returns
    -------
    Equations
        The terms, as a table, as SymPy expressions and as LaTeX.

    Raises
    ------
    InputError
        If the forecaster is a network and there are no orbits, or if the terms explain less than 90 % of the variance of one
        of its rates.

    Examples
    --------
    >>> import systems
    >>> from physlearn import Forecaster
    >>> lorenz = systems.get("lorenz")
    >>> f = Forecaster("sparse").fit(lorenz.orbit(lorenz.sample(10), torch.linspace(0, 2, 101)))
    >>> print(equations(f))
    dx/dt = -10.0*x + 10.0*y
    dy/dt = -x*z + 28.0*x - y
    dz/dt = x*y - 2.66667*z
    """
    model = forecaster.model
    if type(model) is PhysicalModel and isinstance(model.inner, LibraryModel):
        return _own(model, forecaster.coordinates, level)
    if orbits is None:
        raise InputError(
            f"the model {forecaster.name} is a network, whose equations depend on the region: give orbits in it, such as "
            "those of the training"
        )
    z, rate = _states(forecaster, orbits)
    members = forecaster.members or [model]
    learned = [_rates(member, z) for member in members]
    mean = torch.stack(learned).mean(0)
    kind: type[SparseModel] = SparseHamiltonian if hasattr(model, "hamiltonian") else SparseField
    kind.check_options({"degree": degree})
    units = Units.of(z, mean, kind.structure)
    off = rate - mean if rate is not None else torch.stack(learned).std(0) if len(learned) > 1 else torch.zeros_like(mean)
    noise = (off / units.rates).square().mean(0).sqrt()
    periods = {forecaster.coordinates.index(name): period for name, period in forecaster.periods.items()}
    sparse: SparseModel = kind(units.dim, {i: period / float(units.scale[i]) for i, period in periods.items()}, degree=degree)
    u, v = units.applied(z, mean)
    sparse.solve(u, v, noise=noise)
    variance = (v - v.mean(0)).square().mean(0)
    moving = variance > NEGLIGIBLE * variance.sum()
    explained = 1 - float(((sparse(u) - v).square().mean(0) / variance)[moving].max())
    if explained < LEAST_EXPLAINED:
        raise InputError(
            f"{len(sparse.terms)} terms explain only {max(explained, 0.0):.0%} of the variance of a learned rate: give a "
            "higher degree, or orbits in a smaller region"
        )
    values = torch.stack([sparse.refitted(u, units.applied(z, one)[1]) for one in learned])
    error = values.std(0) if len(learned) > 1 else torch.full_like(values[0], torch.nan)
    width = float(student.ppf((1 + level) / 2, len(learned) - 1)) if len(learned) > 1 else None
    return _physical(
        sparse, units, forecaster.coordinates, values.mean(0), torch.diag(error.square()), level, explained, width
    )


def _own(model: PhysicalModel, coordinates: tuple[str, ...], level: float) -> Equations:
    inner = model.inner
    assert isinstance(inner, LibraryModel)
    values = inner.coefficients[inner.free > 0]
    covariance = inner.covariance if inner.covariance.numel() else torch.full((1, 1), torch.nan).expand(len(values), -1)
    return _physical(inner, model.units, coordinates, values, covariance, level)


def _physical(
    inner: LibraryModel,
    units: Units,
    coordinates: tuple[str, ...],
    values: Float[Tensor, " P"],
    covariance: Float[Tensor, "P P"],
    level: float,
    explained: float = 1.0,
    width: float | None = None,
) -> Equations:
    """Return the equations of a model in its own units in the units of the data."""
    hamiltonian, center, scale = inner.is_hamiltonian(), units.center.cpu().numpy(), units.scale.cpu().numpy()
    terms = [tuple(e) for e in inner.terms.round().long().tolist()]
    library, change = Library(terms, inner.dim, inner.angles).shifted(center, scale)
    unit = units.energy.reshape(1).cpu().numpy() if hamiltonian else units.rates.cpu().numpy()
    found, errors = np.zeros((len(library), len(unit))), np.zeros((len(library), len(unit)))
    place = torch.argwhere(inner.free.cpu() > 0).numpy()
    numbers, spread = values.cpu().numpy(), covariance.cpu().numpy()
    for j in range(len(unit)):
        mine = np.flatnonzero(place[:, 1] == j)
        part = change[:, place[mine, 0]]
        found[:, j] = part @ numbers[mine] * unit[j]
        if spread.shape[1] == len(numbers):
            with np.errstate(over="ignore"):
                variance = np.einsum("kp,pq,kq->k", part, spread[np.ix_(mine, mine)], part)
            errors[:, j] = np.sqrt(np.maximum(variance, 0)) * unit[j]
        else:
            errors[part.any(axis=1), j] = np.nan
    errors[errors > 1e140] = np.inf
    constant = (0,) * len(library.terms[0]) if library.terms else ()
    if hamiltonian and constant in library.terms:  # an energy has no constant
        found[library.terms.index(constant)] = errors[library.terms.index(constant)] = 0.0
    drift = units.drift.cpu().numpy()
    if drift.any():
        if constant not in library.terms:
            constant = (0,) * (inner.dim + len(inner.angles))
            library = Library([constant, *library.terms], inner.dim, library.angles)
            found, errors = (np.concatenate([np.zeros((1, len(unit))), one]) for one in (found, errors))
        found[library.terms.index(constant)] += drift
    columns = ["H"] if hamiltonian else [f"d{name}/dt" for name in coordinates]
    size = np.where(center == 0, scale, np.hypot(center, scale))
    origins = {i: float(np.remainder(center[i], library.angles[i])) for i in inner.angles if center[i]}
    return equations_of(
        library, columns, coordinates, found, errors, size, width=width, level=level, explained=explained, origins=origins
    )


def _rates(model: PhysicalModel, z: Float[Tensor, "n D"]) -> Float[Tensor, "n D"]:
    return model.copied_to(torch.device("cpu"), torch.float64).vector_field(0.0, z)


def _states(forecaster: Learned, orbits: Orbit | Sequence[Orbit]) -> tuple[Tensor, Tensor | None]:
    """Return some of the states of orbits, and their rates if all have them."""
    listed = [orbits] if isinstance(orbits, Orbit) else list(orbits)
    if not listed or not all(isinstance(orbit, Orbit) for orbit in listed):
        raise InputError("equations need an Orbit or a non-empty list of them; Orbit.of makes one from arrays and tables")
    for orbit in listed:
        if orbit.coordinates != forecaster.coordinates:
            raise InputError(
                f"the orbits have the coordinates {', '.join(orbit.coordinates)}, but the forecaster was trained on "
                f"{', '.join(forecaster.coordinates)}: give orbits with these"
            )
    z = torch.cat([orbit.z.detach().cpu().double().flatten(0, -2) for orbit in listed])
    known = z.isfinite().all(-1)
    rate = None
    if all(orbit.rate is not None for orbit in listed):
        rate = torch.cat([orbit.rate.detach().cpu().double().flatten(0, -2) for orbit in listed])  # type: ignore[union-attr]
        known &= rate.isfinite().all(-1)
    if not known.any():
        raise InputError("the orbits have no complete state: give orbits with states in all coordinates")
    places = torch.where(known)[0]
    places = places[torch.linspace(0, len(places) - 1, min(STATES, len(places))).round().long()]
    return z[places], None if rate is None else rate[places]
