"""Pairs of inputs and targets to learn from: states and their rates, or signals and their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from physlearn.training.driven import with_given
from systems import InputError, Orbit
from systems.floats import floats
from systems.origins import differences


@dataclass(frozen=True)
class Pairs:
    """Inputs and targets of a training, one row per sample.

    Parameters
    ----------
    z : shape ``(n, D)`` or ``(n, D + k)``
        States or signals; states may be followed by k given values, such as parameters.
    target : shape ``(n, D)``, or ``(n,)`` int64
        dz/dt, or class indices for a classifier.
    coordinates
        Names of the D coordinates.
    unit : shape ``(D,)``, float64, optional
        Unit of each rate, if the pairs have other units than the data; losses are then also reported in the units of the
        data.
    """

    z: Float[Tensor, "n D_and_given"]
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
        """The rates dz/dt, which are the targets of states."""
        return self.target

    @property
    def dim(self) -> int:
        """The number of values of a state, which includes given values."""
        return self.z.shape[-1]

    def __len__(self) -> int:
        return len(self.z)

    @classmethod
    def of(cls, orbits: Orbit | Sequence[Orbit]) -> Pairs:
        """Return all samples of an orbit, a batch of orbits, or a list of either, which may differ in length.

        Samples of which a coordinate or a rate is NaN, as it was not measured, are left out.

        Parameters
        ----------
        orbits
            Orbits with rates, all of one system.

        Returns
        -------
        Pairs
            One row per state.

        Raises
        ------
        InputError
            If there are no data, an orbit has no rates, the orbits differ in their coordinates, system or parameters, the
            system depends on time, or values or their squares are not finite.
        """
        listed = [orbits] if isinstance(orbits, Orbit) else list(orbits)
        if not listed or not all(isinstance(orbit, Orbit) for orbit in listed):
            raise InputError("training needs an Orbit or a non-empty list of them")
        if len(names := {orbit.coordinates for orbit in listed}) > 1:
            raise InputError(f"one model cannot train on orbits with different coordinates: {sorted(names)}")
        if driven := [orbit.provenance.get("system") for orbit in listed if not orbit.provenance.get("autonomous", True)]:
            raise InputError(
                f"a model learns a vector field that does not depend on time, but that of {driven[0]} does: train on orbits "
                "of its suspension, systems.Suspension(system), whose coordinates include the phase, or name what drives it, "
                "a coordinate of the orbits, in Forecaster(..., inputs=...)"
            )
        check_one_system(listed)
        z = torch.cat([with_given(orbit).flatten(0, -2) for orbit in listed])
        rates = [orbit.rate.detach().flatten(0, -2) for orbit in listed if orbit.rate is not None]
        if len(rates) < len(listed):
            raise InputError(
                "training needs the rates dz/dt of every orbit, but some orbits have none: create them with System.orbit or "
                "Orbit.from_csv, which compute the rates"
            )
        rate = torch.cat(rates)
        known = ~(z.isnan().any(-1) | rate.isnan().any(-1))
        if not known.all():  # what was not measured
            z, rate = z[known], rate[known]
        if not len(z):
            raise InputError("the orbits have no states to train on: give orbits with at least one state and its rates")
        check_squares(z, rate)
        return cls(z, rate, listed[0].coordinates)

    def first(self, most: int) -> Pairs:
        """Return the first pairs.

        Parameters
        ----------
        most
            Largest number of pairs to return.

        Returns
        -------
        Pairs
            The first ``most`` pairs, or all if there are fewer.
        """
        return replace(self, z=self.z[:most], target=self.target[:most])

    def to(self, device: torch.device, dtype: torch.dtype) -> Pairs:
        """Return the pairs on another device and in another floating-point type.

        Parameters
        ----------
        device
            Device of the result.
        dtype
            Floating-point type of the result; class indices remain integers.

        Returns
        -------
        Pairs
            The same pairs.
        """
        target = self.target.to(device, dtype if self.target.is_floating_point() else self.target.dtype)
        return replace(self, z=self.z.to(device, dtype), target=target)


def check_squares(*values: Tensor) -> None:
    """Raise InputError if states or rates, or their squares, are infinite; NaN is what was not measured."""
    for known in (one[~one.isnan()] for one in values):
        size, most = float(known.abs().max()) if known.numel() else 0.0, torch.finfo(known.dtype).max ** 0.5
        if size == inf:
            raise InputError("some states or rates to train on are infinite: leave those orbits out")
        if size > most:
            raise InputError(
                f"the states or rates are as large as {size:.0e}, but squares of numbers above {most:.0e} overflow "
                f"{known.dtype}: leave those orbits out, or give them in other units"
            )


def check_one_system(orbits: Sequence[Orbit]) -> None:
    """Raise InputError if the provenance of orbits names several systems, or several values of a parameter.

    A single model would learn the average of their vector fields.
    """
    check_one_origin([orbit.provenance for orbit in orbits])


def check_one_origin(provenances: Sequence[Mapping[str, Any]]) -> None:
    """Raise InputError if provenances name several systems, or several values of a parameter."""
    for system, parameter, (one, other) in differences(provenances):
        if parameter is None:
            raise InputError(f"one model cannot train on orbits of {one} and of {other}: fit one for each system")
        raise InputError(
            f"one model cannot train on orbits of {system or 'one system'} with {parameter}={one} and {parameter}={other}: "
            "fit one for each value, or make the parameter an input of the model by "
            f'Forecaster(..., parameters=("{parameter}",))'
        )
