"""Pairs: what a model learns from, states and their rates, or signals and their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from systems import InputError, Orbit
from systems.floats import floats


@dataclass(frozen=True)
class Pairs:
    """What is given and what is asked for, one row per sample.

    Parameters
    ----------
    z : shape ``(n, D)``
        States, or signals.
    target : shape ``(n, D)``, or ``(n,)`` int64
        dz/dt, or for a classifier the numbers of the classes.
    coordinates
        The names of the D.
    unit : shape ``(D,)``, float64, optional
        The unit of each rate, where the pairs are in other units than the data: losses are told in those of the data, too.
    """

    z: Float[Tensor, "n D"]
    target: Float[Tensor, "n D"] | Int[Tensor, " n"]
    coordinates: tuple[str, ...]
    unit: Float[Tensor, " D"] | None = None

    def __post_init__(self) -> None:
        for name, value in (("z", self.z), ("target", self.target), ("unit", self.unit)):
            if not (value is None or isinstance(value, Tensor)):
                classes = name == "target" and np.asarray(value).dtype.kind in "iu"
                object.__setattr__(self, name, torch.tensor(value) if classes else floats(value, name))

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

        Raises InputError for no data, for orbits without rates, of different coordinates, of different systems (or of one with
        different parameters) or of a system that depends on time, and for values that are not finite, or whose squares are
        not.
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
        check_one_system(listed)
        z = torch.cat([orbit.z.detach().flatten(0, -2) for orbit in listed])
        rates = [orbit.rate.detach().flatten(0, -2) for orbit in listed if orbit.rate is not None]
        if len(rates) < len(listed):
            raise InputError("training needs the rates dz/dt of every orbit; a system's orbit() and Orbit.from_csv give them")
        rate = torch.cat(rates)
        if not len(z):
            raise InputError("the orbits hold no states to train on")
        if not (torch.isfinite(z).all() and torch.isfinite(rate).all()):
            raise InputError("some states or rates to train on are NaN or infinite; leave those orbits out")
        if (size := max(float(z.abs().max()), float(rate.abs().max()))) > (most := torch.finfo(z.dtype).max ** 0.5):
            raise InputError(
                f"states or rates as large as {size:.0e} are given, but squares of numbers above {most:.0e} overflow "
                f"{z.dtype}; leave those orbits out, or give them in other units"
            )
        return cls(z, rate, listed[0].coordinates)

    def first(self, most: int) -> Pairs:
        """The first ones, so many at most."""
        return replace(self, z=self.z[:most], target=self.target[:most])

    def to(self, device: torch.device, dtype: torch.dtype) -> Pairs:
        """The same pairs elsewhere, in another floating-point type; numbers of classes stay whole."""
        target = self.target.to(device, dtype if self.target.is_floating_point() else self.target.dtype)
        return replace(self, z=self.z.to(device, dtype), target=target)


def check_one_system(orbits: Sequence[Orbit]) -> None:
    """Raise InputError where the provenance of orbits names several systems, or several values of a parameter.

    One model would learn the average of their fields.
    """
    known = [orbit.provenance for orbit in orbits if "system" in orbit.provenance]
    for other in known[1:]:
        first, name = known[0], known[0]["system"]
        if other["system"] != name:
            raise InputError(f"orbits of {name} and of {other['system']} do not train one model: fit one for each system")
        own, its = (dict(one.get("parameters", {})) for one in (first, other))
        for parameter in own.keys() & its.keys():
            if own[parameter] != its[parameter]:
                raise InputError(
                    f"orbits of {name} with {parameter}={own[parameter]} and {parameter}={its[parameter]} do not train one "
                    "model: fit one for each value, or make the parameter a coordinate"
                )
