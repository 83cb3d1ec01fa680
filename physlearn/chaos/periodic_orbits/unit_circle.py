"""Bifurcations of periodic orbits: how multipliers cross the unit circle between two orbits of a family."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.periodic_orbits.orbit import NEUTRAL, PeriodicOrbit


class Signs(NamedTuple):
    """Functions along a family that change their sign at bifurcations.

    Parameters
    ----------
    fold
        How fast the parameter changes along the family.
    one, minus_one
        Products over the multipliers other than the trivial ones of 1 - mu, and of 1 + mu.
    moduli : shape ``(m,)``
        Logarithms of their moduli, largest first, less those that count as neutral.
    conservative
        Whether the flow conserves an energy, so that multipliers are paired.
    """

    fold: float
    one: float
    minus_one: float
    moduli: Float[Tensor, " m"]
    conservative: bool

    @property
    def outside(self) -> int:
        """Number of multipliers outside of the unit circle."""
        return int((self.moduli > 0).sum())


def signs_of(orbit: PeriodicOrbit, slope: float) -> Signs:
    """Return the functions at an orbit at which the parameter changes with a slope."""
    others = orbit.others
    neutral = NEUTRAL if orbit.conservative else 0.0
    moduli = others.abs().clamp(min=torch.finfo(torch.float64).tiny).log().sort(descending=True).values - neutral
    one, minus_one = (float((1 + sign * others).prod().real) for sign in (-1, 1))
    return Signs(slope, one, minus_one, moduli, orbit.conservative)


def crossed(before: Signs, after: Signs) -> list[tuple[str, Callable[[Signs], float]]]:
    """Return the kinds of the bifurcations between two orbits, and the test that vanishes at each."""
    found: list[tuple[str, Callable[[Signs], float]]] = []
    if before.fold * after.fold < 0:
        found.append(("fold", lambda signs: signs.fold))
    elif before.one * after.one < 0 and max(abs(before.one), abs(after.one)) > NEUTRAL:  # else other trivial ones
        found.append(("branch", lambda signs: signs.one))
    if before.minus_one * after.minus_one < 0:
        found.append(("flip", lambda signs: signs.minus_one))
    if not found and abs(before.outside - after.outside) >= 2:
        place = min(before.outside, after.outside)
        found.append(("Krein" if before.conservative else "Neimark-Sacker", lambda signs: float(signs.moduli[place])))
    return found
