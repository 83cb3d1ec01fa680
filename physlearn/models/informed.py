"""Learned flows that include what is known beforehand: a part of the flow, and its symmetries."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.flow import Flow
from physlearn.models.group import Group
from physlearn.models.model import Model
from physlearn.models.physical import PARTS, PhysicalModel
from physlearn.models.units import Units
from systems import InputError, System
from systems.autograd_mode import ordinary

if TYPE_CHECKING:
    from systems.compiled.field import Field

LATER = 1.2345  # a time at which a known part must have the same rates as at 0
STATES = 100  # states at which a known part is tried
SYMMETRIC = 1e-6  # largest relative deviation of a known part from the symmetries


@dataclass(frozen=True)
class Prior:
    """What is known of a flow before it is learned.

    Parameters
    ----------
    known : Flow, optional
        A part of the flow, in the units of the data, to which the learned rest is added.
    group : Group, optional
        Symmetries of the flow, over which the learned rest is averaged.
    """

    known: Flow | None = None
    group: Group | None = field(default=None)

    def __bool__(self) -> bool:
        return self.known is not None or self.group is not None

    def check_absent(self, model: str) -> None:
        """Raise InputError if something is known, which a fit of a linear field to states does not use."""
        if self:
            raise InputError(
                f"the model {model} is fitted to states without a known part or symmetries: leave them out, or use "
                "loss='derivative'"
            )

    def check(self, model: type[Model], coordinates: tuple[str, ...], z: Float[Tensor, "n D_and_given"]) -> None:
        """Raise InputError unless this suits the model, the coordinates and the states of the training data."""
        dim, what = len(coordinates), f"the model {model.name}"
        if self.group is not None:
            if self.group.dim != dim:
                raise InputError(
                    f"the symmetries are matrices of shape ({self.group.dim}, {self.group.dim}), but the data have {dim} "
                    f"coordinates, {', '.join(coordinates)}: give matrices of shape ({dim}, {dim})"
                )
            if model.needs_momenta():
                self.group.check_canonical(what)
            if model.separable or model.structure == "mechanical":
                self.group.check_split(what)
        if self.known is None:
            return
        if self.known.coordinates and self.known.coordinates != coordinates:
            raise InputError(
                f"the known part has the coordinates {', '.join(self.known.coordinates)}, but the data have "
                f"{', '.join(coordinates)}: give them the same names and order"
            )
        if model.structure == "mechanical":
            raise InputError(
                f"{what} has a kinetic energy of its own, so it cannot learn the rest of a known part: use hnn or nn"
            )
        if model.is_hamiltonian() and self.known.hamiltonian is None:
            raise InputError(f"{what} adds to a known Hamiltonian, which {self.known.name} does not have: use the model nn")
        if model.separable and self.known.velocity is None:
            raise InputError(f"{what} adds to a separable Hamiltonian, which {self.known.name} is not: use the model hnn")
        self._check_rates(z[:STATES, :dim])

    def _check_rates(self, z: Float[Tensor, "n D"]) -> None:
        assert self.known is not None
        found = self.rates(z)
        if not isinstance(found, Tensor) or found.shape != z.shape or not found.isfinite().all():
            told = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) and found.shape != z.shape else "no finite rates"
            raise InputError(
                f"the known part {self.known.name} must map states of shape (..., {z.shape[1]}) to finite rates dz/dt of the "
                f"same shape, but it returns {told} for the training states"
            )
        scale = found.abs().amax(0).clamp(min=torch.finfo(found.dtype).tiny)
        if float(((self._at(LATER, z) - found).abs() / scale).max()) > SYMMETRIC:
            raise InputError(
                f"the known part {self.known.name} depends on time, which the learned flow must not: leave it out"
            )
        if self.group is not None:
            images, wanted = self.group.images(z, found)
            most = wanted.abs().amax(0).clamp(min=torch.finfo(found.dtype).tiny)
            if float(((self.rates(images) - wanted).abs() / most).max()) > SYMMETRIC:
                raise InputError(
                    f"the known part {self.known.name} does not have the given symmetries: leave it or these symmetries out"
                )

    def rates(self, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return the rates of the known part."""
        return self._at(0.0, z)

    def _at(self, t: float, z: Tensor) -> Tensor:
        assert self.known is not None
        return self.known.field(torch.tensor(t, dtype=z.dtype, device=z.device), z)

    def to_learn(
        self, z: Float[Tensor, "n D_and_given"], rate: Float[Tensor, "n D"]
    ) -> tuple[Float[Tensor, "m D_and_given"], Float[Tensor, "m D"]]:
        """Return the states and rates from which a model learns: the rates without the known part, and all their images."""
        if self.known is not None:
            with ordinary(), torch.no_grad():
                rate = rate - self.rates(z[:, : rate.shape[1]])
        return (z, rate) if self.group is None else self.group.images(z, rate)

    def completed(self, network: Model, units: Units) -> PhysicalModel:
        """Return a trained network with what is known, as a flow in the units of the data."""
        return InformedModel(network, units, self) if self else PhysicalModel(network, units)


class InformedModel(PhysicalModel):
    """A learned rest in the units of the data, averaged over symmetries, and added to a known part.

    Parameters
    ----------
    inner, units
        As in `PhysicalModel`, for the rest.
    prior
        What is known.
    """

    def __init__(self, inner: Model, units: Units, prior: Prior) -> None:
        super().__init__(inner, units)
        self.prior = prior

    def part(self, name: str, x: Float[Tensor, "*batch n"], t: Float[Tensor, ""] | float | None = None) -> Tensor:
        """Return the Hamiltonian, force or another part of the whole flow in the units of the data."""
        rest = super().part(name, x, t) if self.prior.group is None else self._averaged(self.prior.group, name, x, t)
        known = self.prior.known
        if known is None:
            return rest
        own = x[..., : len(self._columns(PARTS[name][0], given=False))]
        if name == "vector_field":
            return rest + self.prior.rates(own)
        function = getattr(known, name, None) or getattr(known.source, name, None)
        return rest if function is None else rest + function(own)

    def compiled_field(self) -> Field:
        """Return the whole flow for compiled solvers. Raises UntraceableError if a part has no compiled form."""
        if self.prior.known is None:
            return super().compiled_field()
        from systems.compiled.field import ParametrizedField
        from systems.compiled.total import Total
        from systems.compiled.traced import field_of_function, field_of_system

        source = self.prior.known.source
        known = (
            field_of_system(source)
            if isinstance(source, System)
            else field_of_function(self.prior.known.field, self.units.dim)
        )
        rest = InformedModel(self.inner, self.units, replace(self.prior, known=None)).compiled_field()
        return Total([known, ParametrizedField(rest)])

    def _of(self, inner: Model) -> PhysicalModel:
        """Return the Hamiltonian part of the flow, with the known part if that is Hamiltonian."""
        known = self.prior.known
        kept = known is not None and known.hamiltonian is not None
        return replace(self.prior, known=known if kept else None).completed(inner, self.units)

    def _averaged(self, group: Group, name: str, x: Tensor, t: Tensor | float | None) -> Tensor:
        """Return the average over the group, in which a vector of each image is turned back."""
        given, unit = PARTS[name]
        columns = self._columns(given, given=False)
        into = group.matrices[:, columns][:, :, columns].to(x)
        moved = torch.einsum("gij,...j->g...i", into, x[..., : len(columns)])
        rest = x[..., len(columns) :].expand(len(group), *x.shape[:-1], x.shape[-1] - len(columns))
        found = super().part(name, torch.cat([moved, rest], dim=-1), t)
        if unit == "energy":
            return found.mean(0)
        results = self._columns(unit, given=False)
        back = torch.linalg.inv(group.matrices)[:, results][:, :, results] * group.signs[:, None, None] / len(group)
        return torch.einsum("gij,g...j->...i", back.to(x), found)


class InUnits(Model):
    """A flow in the units of the data, as a model of standardised states, for losses of states.

    Parameters
    ----------
    whole
        The flow.
    """

    default_method = "rk4"

    def __init__(self, whole: PhysicalModel) -> None:
        super().__init__()
        self.whole = whole

    @property
    def name(self) -> str:  # type: ignore[override]
        """Name of the model."""
        return self.whole.name

    def standardize(self, z: Float[Tensor, "n D"], target: Float[Tensor, "n D"]) -> None:
        """Do nothing, because the scales of the flow are known."""

    def vector_field(self, t: Float[Tensor, ""] | float, z: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Return dz/dt in standardised units."""
        units, dim = self.whole.units, self.whole.units.dim
        rate = self.whole.part("vector_field", units.center + units.scale * z, t)
        return rate * units.time / units.scale[:dim]


def all_moving(units: Units) -> Units:
    """Return units in which every rate is learned, as those of a whole flow are."""
    return replace(units, drift=torch.zeros_like(units.drift), moving=torch.ones_like(units.moving))
