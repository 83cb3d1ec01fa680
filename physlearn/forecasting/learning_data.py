"""The training data of a forecaster: pairs from orbits, in float64 and in units in which they are of order one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from physlearn.forecasting.angles import within_a_turn
from physlearn.models.units import Structure, Units
from physlearn.training import Pairs
from physlearn.training.pairs import check_one_system
from systems import InputError, Orbit
from systems.periodic import agreed_periods

Orbits = Orbit | Sequence[Orbit]


@dataclass(frozen=True)
class LearningData:
    """Training and validation pairs of one system, in float64 and in the units of the data.

    Attributes
    ----------
    pairs, validation : Pairs
        The pairs; ``validation`` may be None.
    precision : torch.dtype
        Type of the orbits.
    periods : mapping of str to float
        Periods of the coordinates that are angles.
    """

    pairs: Pairs
    validation: Pairs | None
    precision: torch.dtype
    periods: Mapping[str, float]

    @classmethod
    def of(cls, orbits: Orbits, validation: Orbits | None) -> LearningData:
        """Return the pairs of orbits, whose tensors may require gradients or come from inference mode.

        Raises InputError for orbits that `Pairs.of` refuses, that differ in coordinates, system or parameters, or whose
        periods contradict each other.
        """
        pairs = Pairs.of(orbits)
        held_out = None if validation is None else Pairs.of(validation)
        if held_out is not None and held_out.coordinates != pairs.coordinates:
            raise InputError(
                f"training has the coordinates {pairs.coordinates}, but validation has {held_out.coordinates}: give orbits "
                "with the same coordinates"
            )
        listed = [*_listed(orbits), *([] if validation is None else _listed(validation))]
        check_one_system(listed)
        periods = agreed_periods([orbit.periods for orbit in listed])
        precision = torch.promote_types(pairs.z.dtype, pairs.rate.dtype)
        return cls(_exact(pairs), None if held_out is None else _exact(held_out), precision, periods)

    def changed(self, change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> LearningData:
        """Return data with other states and rates, which a function returns for those of each set of pairs."""
        pairs, held_out = (
            None if one is None else Pairs(*change(one.z, one.rate), one.coordinates) for one in (self.pairs, self.validation)
        )
        assert pairs is not None
        return replace(self, pairs=pairs, validation=held_out)

    def check_velocities(self, model: str, tolerance: float) -> None:
        """Raise InputError unless the second half of the coordinates are the rates of the first half.

        The error of each is measured in units of the rate's root mean square, and at most ``tolerance``.
        """
        n = len(self.pairs.coordinates) // 2
        velocity, rate = self.pairs.z[:, n : 2 * n], self.pairs.rate[:, :n]
        off = (velocity - rate).square().mean(0).sqrt() / rate.square().mean(0).sqrt()
        for k in range(n):
            if off[k] > tolerance:
                q, v = self.pairs.coordinates[k], self.pairs.coordinates[n + k]
                raise InputError(
                    f"{model} needs the velocity of each position, but {v} differs from the rate of {q} by "
                    f"{float(off[k]):.0%}: give velocities, which orbit.with_velocities() derives from positions, or use hnn "
                    "if these are momenta"
                )

    def standardized(
        self, structure: Structure, angles: Mapping[str, float], units: Units | None = None
    ) -> tuple[Units, Pairs, Pairs | None]:
        """Return units for the training pairs and a model of the given structure, and all pairs in these units.

        ``angles`` has the periods of the coordinates that are treated as angles, whose number of turns does not matter. Units
        are given if they are those of an earlier training.
        """
        held_out, coordinates = self.validation, self.pairs.coordinates
        named = (*coordinates, *(f"given {k}" for k in range(self.pairs.dim - len(coordinates))))
        middle = None if units is None else units.center
        z, others = within_a_turn(self.pairs.z, None if held_out is None else held_out.z, angles, named, middle)
        if units is None:
            units = Units.of(z, self.pairs.rate, structure, self.precision)
            z, rate = units.standardize(z, self.pairs.rate, self.precision)
        else:
            z, rate = units.applied(z, self.pairs.rate)
        pairs = Pairs(z, rate, coordinates, units.rates)
        if held_out is None or others is None:
            return units, pairs, None
        z, rate = units.applied(others, held_out.rate)
        return units, pairs, Pairs(z, rate, held_out.coordinates, units.rates)


def cast_to(device: torch.device, dtype: torch.dtype, pairs: Pairs) -> Pairs:
    """Return standardised pairs with the device and type of the training.

    Raises InputError if their squares overflow the type, as for validation data far from the training data.
    """
    size = max(float(pairs.z.abs().max()), float(pairs.rate.abs().max()))
    if not size**2 < torch.finfo(dtype).max:
        raise InputError(
            f"states or rates are as large as {size:.0e} in units of the training data, and squares of such numbers overflow "
            f"{dtype}: leave those orbits out"
        )
    return pairs.to(device, dtype)


def _listed(orbits: Orbits) -> list[Orbit]:
    return [orbits] if isinstance(orbits, Orbit) else list(orbits)


def _exact(pairs: Pairs) -> Pairs:
    z, target = (x.detach().double().clone() for x in (pairs.z, pairs.target))
    return Pairs(z, target, pairs.coordinates)
