"""Orbits with given values: parameters, and inputs that are interpolated between their measured times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from systems import Orbit


@dataclass(frozen=True, eq=False, repr=False)
class DrivenOrbit(Orbit):
    """A single orbit of states with k given values, which need not be known at the times of the states.

    Parameters
    ----------
    t, z, rate, coordinates, provenance, periods, units
        As in `Orbit`.
    given_t : shape ``(S,)``, float64
        Times of the given values, increasing or decreasing.
    given : shape ``(S, k)``, float64
        The values, between which they are linear in time.
    """

    given_t: Float[Tensor, " S"] | None = None
    given: Float[Tensor, "S k"] | None = None


def given_at(orbit: Orbit, t: Float[Tensor, "*times"]) -> Float[Tensor, "*times k"]:
    """Return the given values of an orbit at some times; there are none (k = 0) unless it is a `DrivenOrbit`."""
    if not isinstance(orbit, DrivenOrbit):
        return t.new_empty(*t.shape, 0)
    assert orbit.given_t is not None
    assert orbit.given is not None
    order = orbit.given_t.argsort().numpy()
    times, values = orbit.given_t.numpy()[order], orbit.given.numpy()[order]
    columns = [np.interp(t.detach().cpu().double().numpy(), times, column) for column in values.T]
    return torch.from_numpy(np.stack(columns, axis=-1)).to(t)


def with_given(orbit: Orbit) -> Float[Tensor, "*batch T D_and_given"]:
    """Return the states of an orbit, each followed by its given values."""
    if not isinstance(orbit, DrivenOrbit):
        return orbit.z.detach()
    return torch.cat([orbit.z.detach(), given_at(orbit, orbit.t.double()).to(orbit.z)], dim=-1)
