"""Units in which states, rates and times are numbers of order one, whatever units they were measured in."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.models.scaling import rounding, spread
from systems import InputError

Structure = Literal["general", "canonical", "odd", "mechanical"]
IN_FILES = "units."
SAME = 1e-6  # a slope of velocity on momentum that is so near to one is one


@dataclass(frozen=True, eq=False)
class Units:
    r"""A change of units that keeps the structure of a flow.

    .. math:: u_i = (z_i - c_i) / s_i, \quad t' = t / \tau

    Where the flow is Hamiltonian, :math:`s_{q_i} s_{p_i}` is one action for all i, so that the transformation is canonical:
    Hamilton's equations for a function of u are Hamilton's equations for its multiple, by an energy, as a function of z.

    Parameters
    ----------
    center, scale : shape ``(D,)``
        The origin and the size of each coordinate, float64, in the units of the data.
    time : shape ``()``
        The unit of time, float64, in that of the data.
    """

    center: Float[Tensor, " D"]
    scale: Float[Tensor, " D"]
    time: Float[Tensor, ""]

    @classmethod
    def of(
        cls,
        z: Float[Tensor, "n D"],
        rate: Float[Tensor, "n D"],
        structure: Structure = "general",
        dtype: torch.dtype = torch.float64,
    ) -> Units:
        """Return the units that suit states and their rates.

        Parameters
        ----------
        z, rate : shape ``(n, D)``
            States and dz/dt, float64.
        structure
            What is kept: ``"general"`` nothing, so that each coordinate has the unit of its spread; ``"canonical"``
            Hamilton's equations; ``"odd"`` also the momenta's zero; ``"mechanical"`` also that velocities are momenta in
            the new units, for masses that are measured: of each coordinate, the slope of its momentum on its velocity.
        dtype
            Precision in which the data were given.
        """
        center = z.mean(0)
        size, constant = spread(z, dtype)
        velocity = rate.square().mean(0).sqrt()
        if structure == "general":
            return cls(center, size, _time(velocity / size))
        n = z.shape[1] // 2
        (q, p), (still, unmoved) = size.split(n), constant.split(n)
        if structure != "canonical":
            p = z[:, n:].square().mean(0).sqrt()
            p, unmoved = torch.where(p > 0, p, 1.0), p == 0
            center = torch.cat([center[:n], torch.zeros_like(p)])
        if structure == "mechanical":
            root = _masses(z[:, n:], rate[:, :n]).sqrt()
            q = _middle(q * root, ~still) / root
            time = _time(velocity[:n] / q)
            action = (root * q).square()[0] / time  # so that a velocity is a momentum
        else:
            action = _middle(q * p, ~(still | unmoved))
            q = torch.where(still & ~unmoved, action / p, q)
            time = _time(torch.cat([velocity[:n] / q, velocity[n:] * q / action]))
        return cls(center, torch.cat([q, action / q]), time)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """What a file keeps of them, by names that no model has."""
        return {f"{IN_FILES}{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def take(cls, tensors: dict[str, Tensor], dim: int) -> Units:
        """Take the units of that many coordinates out of the tensors of a file; those of the data where it has none.

        Raises InputError where they are of another number of coordinates, or not finite and positive.
        """
        if not any(name.startswith(IN_FILES) for name in tensors):
            return cls(torch.zeros(dim).double(), torch.ones(dim).double(), torch.ones(()).double())
        units = cls(*(tensors.pop(f"{IN_FILES}{field.name}").double() for field in fields(cls)))
        if units.center.shape != (dim,) or units.scale.shape != (dim,) or units.time.shape != ():
            raise InputError(f"the units are not those of {dim} coordinates")
        if not all(((x > 0) & x.isfinite()).all() for x in (units.scale, units.time)) or not units.center.isfinite().all():
            raise InputError("the units are not finite and positive")
        return units

    @property
    def rates(self) -> Float[Tensor, " D"]:
        """The unit of each component of dz/dt."""
        return self.scale / self.time

    @property
    def energy(self) -> Float[Tensor, ""]:
        """The unit of a Hamiltonian, where the structure has one."""
        return self.scale[0] * self.scale[len(self.scale) // 2] / self.time

    def to(self, device: torch.device) -> Units:
        """The same on another device, in the widest type that it has."""
        dtype = torch.float32 if device.type == "mps" else torch.float64
        return Units(*(getattr(self, field.name).to(device, dtype) for field in fields(self)))

    def standardize(
        self, z: Float[Tensor, "n D"], rate: Float[Tensor, "n D"], dtype: torch.dtype = torch.float64
    ) -> tuple[Float[Tensor, "n D"], Float[Tensor, "n D"]]:
        """Return states and rates in these units; what is constant to rounding is made constant."""
        z = torch.where(spread(z, dtype)[1], z.mean(0), z)
        rate = rate / self.rates
        least = rounding(len(z), dtype)  # as sums of terms of order one cancel
        mean = rate.mean(0)
        still = spread(rate, dtype)[1] | (rate.std(0, correction=0) <= least)
        rate = torch.where(still, torch.where(mean.abs() <= least, 0.0, mean), rate)
        return (z - self.center) / self.scale, rate


def _time(inverse: Float[Tensor, " k"]) -> Float[Tensor, ""]:
    """The time in which coordinates change by their units; 1 where nothing moves."""
    square = inverse.square().mean()
    return torch.where(square > 0, square.rsqrt(), 1.0)


def _middle(x: Float[Tensor, " n"], chosen: Bool[Tensor, " n"]) -> Float[Tensor, ""]:
    """The geometric mean of those that are chosen, or of all where none is."""
    return x[chosen if chosen.any() else ~chosen].log().mean().exp()


def _masses(p: Float[Tensor, "m n"], velocity: Float[Tensor, "m n"]) -> Float[Tensor, " n"]:
    """The mass of each coordinate: 1 unless the velocities are clearly another multiple of the momenta."""
    square = p.square().mean(0)
    slope = (p * velocity).mean(0) / torch.where(square > 0, square, 1.0)
    residual = (velocity - slope * p).square().mean(0) / velocity.square().mean(0)
    unit = (slope - 1).abs() <= (2 * residual.nan_to_num(1.0).sqrt()).clamp(min=SAME)
    return torch.where(unit | (slope <= 0), 1.0, 1 / slope)
