"""Units in which states, rates and times are of order one, whatever the units of the data."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.models.scaling import rounding, spread
from systems import InputError

Structure = Literal["general", "canonical", "odd", "mechanical", "lagrangian", "origin", "canonical-origin"]
IN_FILES = "units."
SAME = 1e-6  # tolerance within which a slope of velocity on momentum equals one


@dataclass(frozen=True, eq=False)
class Units:
    r"""A change of units that keeps the structure of a flow.

    .. math:: u_i = (z_i - c_i) / s_i, \quad t' = t / \tau

    If the flow is Hamiltonian, :math:`s_{q_i} s_{p_i}` is the same action for all i, so that the transformation is canonical:
    Hamilton's equations for a function of u are those for the function of z that is its multiple by the unit of energy.

    Parameters
    ----------
    center, scale : shape ``(D + k,)``
        Origin and unit of each coordinate, and of the k given values that follow, float64, in the units of the data.
    time : shape ``()``
        Unit of time, float64, in the unit of the data.
    drift, moving : shape ``(D,)``
        If the structure is general, rates that are constant to rounding over the data are not learned: ``moving`` is 0 and
        ``drift`` is the rate. Otherwise ``moving`` is 1 and ``drift`` is 0. Both are float64.
    """

    center: Float[Tensor, " D_and_given"]
    scale: Float[Tensor, " D_and_given"]
    time: Float[Tensor, ""]
    drift: Float[Tensor, " D"]
    moving: Float[Tensor, " D"]

    @classmethod
    def none(cls, dim: int, given: int = 0) -> Units:
        """Return the units of the data."""
        zero, one = torch.zeros(dim + given, dtype=torch.float64), torch.ones(dim + given, dtype=torch.float64)
        return cls(zero, one, one[0], zero[:dim], one[:dim])

    @classmethod
    def of(
        cls,
        z: Float[Tensor, "n D_and_given"],
        rate: Float[Tensor, "n D"],
        structure: Structure = "general",
        dtype: torch.dtype = torch.float64,
    ) -> Units:
        """Return the units in which states and rates are of order one.

        Parameters
        ----------
        z : shape ``(n, D + k)``
            States, followed by given values if there are any, float64.
        rate : shape ``(n, D)``
            dz/dt, float64.
        structure
            Structure to preserve. ``"general"`` preserves nothing, and the unit of each coordinate is its spread.
            ``"canonical"`` preserves Hamilton's equations, ``"odd"`` also the zero of the momenta. ``"mechanical"`` also
            makes velocities equal to momenta in the new units, with masses estimated as the slope of each momentum on its
            velocity. ``"lagrangian"``, for positions and velocities, makes the unit of a velocity that of its position per
            unit of time. ``"origin"`` and ``"canonical-origin"`` are the first two without a change of origin.
        dtype
            Precision of the original data.
        """
        if z.shape[1] > (dim := rate.shape[1]):  # the structure is that of the states
            units, given = cls.of(z[:, :dim], rate, structure, dtype), z[:, dim:]
            return replace(
                units,
                center=torch.cat([units.center, given.mean(0)]),
                scale=torch.cat([units.scale, spread(given, dtype)[0]]),
            )
        center = z.mean(0)
        size, constant = spread(z, dtype)
        velocity = rate.square().mean(0).sqrt()
        if structure.endswith("origin"):
            center, size = torch.zeros_like(center), z.square().mean(0).sqrt()
            size, constant = torch.where(size > 0, size, 1.0), size == 0
        if structure == "origin":
            return cls(center, size, _time(velocity / size), torch.zeros_like(center), torch.ones_like(center))
        if structure == "general":
            time = _time(velocity / size)
            still = _steady(rate * time / size, rounding(len(z), dtype), dtype)
            return cls(center, size, time, torch.where(still, rate.mean(0), 0.0), (~still).to(z.dtype))
        n = z.shape[1] // 2
        (q, p), (still, unmoved) = size.split(n), constant.split(n)
        if structure == "lagrangian":
            time = _time(velocity / torch.cat([q, p]))
            zero = torch.zeros_like(q)
            return cls(
                torch.cat([center[:n], zero]),
                torch.cat([q, q / time]),
                time,
                torch.zeros_like(center),
                torch.ones_like(center),
            )
        if structure in ("odd", "mechanical"):
            p = z[:, n:].square().mean(0).sqrt()
            p, unmoved = torch.where(p > 0, p, 1.0), p == 0
            center = torch.cat([center[:n], torch.zeros_like(p)])
        if structure == "mechanical":
            root = _masses(z[:, n:], rate[:, :n]).sqrt()
            q = _middle(q * root, ~still) / root
            time = _time(velocity[:n] / q)
            action = (root * q).square()[0] / time  # makes velocities equal to momenta
        else:
            action = _middle(q * p, ~(still | unmoved))
            q = torch.where(still & ~unmoved, action / p, q)
            time = _time(torch.cat([velocity[:n] / q, velocity[n:] * q / action]))
        return cls(center, torch.cat([q, action / q]), time, torch.zeros_like(center), torch.ones_like(center))

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensors that files store, by names that no model uses."""
        return {f"{IN_FILES}{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def take(cls, tensors: dict[str, Tensor], dim: int, given: int = 0) -> Units:
        """Remove the units of ``dim`` coordinates and of given values from the tensors of a file and return them.

        Files without units have those of the data. Raises InputError if the units are for another number of coordinates, or
        are not finite and positive.
        """
        if not any(name.startswith(IN_FILES) for name in tensors):
            return cls.none(dim, given)
        known = cls.none(dim, given)
        units = cls(*(tensors.pop(f"{IN_FILES}{field.name}").double() for field in fields(cls)))
        for name, found in vars(units).items():
            if found.shape != getattr(known, name).shape or not found.isfinite().all():
                raise InputError(
                    f"the unit {name!r} must be finite and match the {dim + given} coordinates: write the file again"
                )
        if not ((units.scale > 0).all() and units.time > 0 and ((units.moving == 0) | (units.moving == 1)).all()):
            raise InputError("the units scale and time must be positive and moving must be 0 or 1: write the file again")
        return units

    @property
    def dim(self) -> int:
        """The number D of coordinates, without given values."""
        return len(self.drift)

    @property
    def rates(self) -> Float[Tensor, " D"]:
        """The unit of each component of dz/dt; 0 for rates that are not learned."""
        return self.moving * self.scale[: self.dim] / self.time

    @property
    def energy(self) -> Float[Tensor, ""]:
        """The unit of the Hamiltonian, if the structure has one."""
        return self.scale[0] * self.scale[self.dim // 2] / self.time

    def to(self, device: torch.device) -> Units:
        """Return the units on another device, in the most precise type that it supports."""
        dtype = torch.float32 if device.type == "mps" else torch.float64
        return Units(*(getattr(self, field.name).to(device, dtype) for field in fields(self)))

    def standardize(
        self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], dtype: torch.dtype = torch.float64
    ) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n D"]]:
        """Return states and rates in these units; columns that are constant to rounding become constant."""
        z, rate = self.applied(torch.where(spread(z, dtype)[1], z.mean(0), z), rate)
        least, mean = rounding(len(z), dtype), rate.mean(0)
        constant = torch.where(mean.abs() <= least, 0.0, mean)
        return z, torch.where(_steady(rate, least, dtype), constant, rate)

    def applied(
        self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"]
    ) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n D"]]:
        """Return states and rates in these units."""
        known = self.moving == 0
        rate = torch.where(known, 0.0, (rate - self.drift) / torch.where(known, 1.0, self.rates))
        return (z - self.center) / self.scale, rate


def _steady(rate: Float[Tensor, "n D"], least: float, dtype: torch.dtype) -> Bool[Tensor, " D"]:
    """Return which rates, in standard units, are constant to rounding, including that of terms of order one that cancel."""
    return spread(rate, dtype)[1] | (rate.std(0, correction=0) <= least)


def _time(inverse: Float[Tensor, " k"]) -> Float[Tensor, ""]:
    """Return the time in which coordinates change by their units, or 1 if nothing moves."""
    square = inverse.square().mean()
    return torch.where(square > 0, square.rsqrt(), 1.0)


def _middle(x: Float[Tensor, " n"], chosen: Bool[Tensor, " n"]) -> Float[Tensor, ""]:
    """Return the geometric mean of the chosen values, or of all if none is chosen."""
    return x[chosen if chosen.any() else ~chosen].log().mean().exp()


def _masses(p: Float[Tensor, "m n"], velocity: Float[Tensor, "m n"]) -> Float[Tensor, " n"]:
    """Return the mass of each coordinate, which is 1 unless the velocities are clearly another multiple of the momenta."""
    square = p.square().mean(0)
    slope = (p * velocity).mean(0) / torch.where(square > 0, square, 1.0)
    residual = (velocity - slope * p).square().mean(0) / velocity.square().mean(0)
    unit = (slope - 1).abs() <= (2 * residual.nan_to_num(1.0).sqrt()).clamp(min=SAME)
    return torch.where(unit | (slope <= 0), 1.0, 1 / slope)
