"""Pairs: what a model learns from, states and their rates, or signals and their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from systems import InputError, Orbit


@dataclass(frozen=True)
class Pairs:
    """What is given and what is asked for, one row a sample.

    z: ``(n, D)``. target: dz/dt, ``(n, D)``; for a classifier the numbers of the classes, ``(n,)`` int64. coordinates: the
    names of the D.
    """

    z: Float[Tensor, "n D"]
    target: Float[Tensor, "n D"] | Int[Tensor, " n"]
    coordinates: tuple[str, ...]

    @property
    def rate(self) -> Float[Tensor, "n D"]:
        """dz/dt, the targets of states."""
        return self.target

    @property
    def dim(self) -> int:
        """D."""
        return self.z.shape[-1]

    def __len__(self) -> int:
        return len(self.z)

    @classmethod
    def of(cls, orbits: Orbit | Sequence[Orbit]) -> Pairs:
        """All samples of an orbit, of a batch, or of a list of orbits of any lengths.

        Raises InputError for no data, for orbits without rates, of different coordinates or of a system that depends on
        time, and for values that are not finite.
        """
        listed = [orbits] if isinstance(orbits, Orbit) else list(orbits)
        if not listed or not all(isinstance(orbit, Orbit) for orbit in listed):
            raise InputError("training needs an Orbit, or a list of at least one")
        if len(names := {orbit.coordinates for orbit in listed}) > 1:
            raise InputError(f"orbits of different coordinates do not train together: {sorted(names)}")
        if driven := [orbit.provenance.get("system") for orbit in listed if not orbit.provenance.get("autonomous", True)]:
            raise InputError(
                f"a model learns a field that does not depend on time, and that of {driven[0]} does: train on orbits of its "
                "suspension, systems.Suspension(system), whose coordinates tell the phase"
            )
        z = torch.cat([orbit.z.flatten(0, -2) for orbit in listed])
        rates = [orbit.rate.flatten(0, -2) for orbit in listed if orbit.rate is not None]
        if len(rates) < len(listed):
            raise InputError("training needs the rates dz/dt of every orbit; a system's orbit() and Orbit.from_csv give them")
        rate = torch.cat(rates)
        if not len(z):
            raise InputError("the orbits hold no states to train on")
        if not (torch.isfinite(z).all() and torch.isfinite(rate).all()):
            raise InputError("some states or rates to train on are NaN or infinite; leave those orbits out")
        return cls(z, rate, listed[0].coordinates)

    def first(self, most: int) -> Pairs:
        """The first ones, so many at most."""
        return Pairs(self.z[:most], self.target[:most], self.coordinates)

    def to(self, device: torch.device, dtype: torch.dtype) -> Pairs:
        """The same pairs elsewhere, in another floating-point type; numbers of classes stay whole."""
        target = self.target.to(device, dtype if self.target.is_floating_point() else self.target.dtype)
        return Pairs(self.z.to(device, dtype), target, self.coordinates)
