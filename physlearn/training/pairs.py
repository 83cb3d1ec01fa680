"""Pairs: what a model learns from, states and their rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from systems import InputError, Orbit


@dataclass(frozen=True)
class Pairs:
    """States and dz/dt, one row a sample. z, rate: ``(n, D)``."""

    z: Float[Tensor, "n D"]
    rate: Float[Tensor, "n D"]
    coordinates: tuple[str, ...]

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

    def to(self, device: torch.device, dtype: torch.dtype) -> Pairs:
        """The same pairs elsewhere, in another floating-point type."""
        return Pairs(self.z.to(device, dtype), self.rate.to(device, dtype), self.coordinates)
