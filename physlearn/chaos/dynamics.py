"""Dynamics: what a flow does in the long run - section, class and exponent of each orbit, escape, climate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm.auto import tqdm

from physlearn.chaos.alignment import advance, smallest
from physlearn.chaos.classify import THRESHOLD, by_growth
from physlearn.chaos.lyapunov import standard_error
from physlearn.chaos.section import Section, poincare_section
from physlearn.chaos.variational import deviations, pieces
from physlearn.chaos.walk import Walk, lost
from physlearn.integrators import Flow, integrate
from physlearn.metrics import valid_prediction_time
from systems import InputError, Orbit

EVERY = 4  # steps from one state that is kept to the next: still several in the shortest period that the steps resolve
ROUNDING = 8  # machine epsilons, which deviations that have aligned are apart
CERTAIN = 0.01  # of the orbit's spread: as near to an orbit of half the steps, it is the flow's own; as of truth_horizon


@dataclass(frozen=True, eq=False)
class Dynamics:
    """What was seen of a flow along the orbits from some initial states.

    They were followed for twice the ``time``, so that what one stretch of it says can be held against what the next does,
    and small deviations along with them for the first stretch: all of the cost, nearly.

    flow: what moved them. orbit: ``(..., T, D)``, both stretches, every fourth step. section: the crossings of both, in
    ``direction``. chaotic: ``(...)``, whether the smallest alignment index fell below the threshold in the first stretch, by
    the growth of the deviations. exponent, error: ``(...)``, the largest Lyapunov exponent over the first stretch and its
    standard error [1 / time]; NaN where the orbit did not last. escaped: ``(...)``, at any time. time: the length of a
    stretch. method: the integrator.
    """

    flow: Flow
    orbit: Orbit
    section: Section
    direction: int
    chaotic: Bool[Tensor, "*batch"]
    exponent: Float[Tensor, "*batch"]
    error: Float[Tensor, "*batch"]
    escaped: Bool[Tensor, "*batch"]
    time: float
    method: str

    @classmethod
    def of(
        cls,
        flow: Any,
        z0: Float[Tensor, "*batch D"],
        time: float = 1000.0,
        surface: tuple[str | int, float] = ("x", 0.0),
        direction: int = 1,
        dt: float = 0.05,
        *,
        threshold: float = THRESHOLD,
        escape: float = 1e6,
        seed: int = 0,
        method: str | None = None,
        progress: str | None = None,
    ) -> Dynamics:
        r"""Follow a flow from z0.

        Class and exponent come from one pass of two deviations, drawn from the seed. Aligned deviations tell of chaos where
        they aligned because one direction grew, by more than the square root of 1/threshold, and not because all others
        shrank, as near a limit cycle: dissipative flows are told apart too.

        flow: a system, a trained model or Forecaster, or a function ``f(t, z)``. surface, direction, escape: as of
        `poincare_section`; a flow without names has its coordinates numbered. method: as of `lyapunov_exponents`. progress:
        the name of a progress bar. States are best in float64: in float32 rounding keeps the index above 1e-6.

        Raises InputError for wrong arguments.
        Source: Skokos, J. Phys. A 34, 10029 (2001), for the index; Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15, 9
        (1980), for the exponent.

        >>> import systems
        >>> pendulum = systems.get("pendulum")
        >>> seen = Dynamics.of(pendulum, torch.tensor([1.0, 0.0]).double(), time=20, surface=("theta", 0.0))
        >>> bool(seen.chaotic), bool(seen.escaped), len(seen.section)
        (False, False, 6)
        """
        walk = Walk.of(flow, z0, time, dt, method)
        samples = ceil(walk.steps / EVERY)
        walk = replace(walk, steps=EVERY * samples, dt=time / (EVERY * samples))
        z0 = torch.as_tensor(z0).detach()
        if not 0 < threshold < 1:
            raise InputError(f"threshold must lie between 0 and 1, not {threshold}")
        if threshold <= ROUNDING * torch.finfo(z0.dtype).eps:
            raise InputError(f"an index in {z0.dtype} does not fall below {threshold:g}: give the states in float64")
        section = poincare_section(walk.flow, z0, 2 * time, surface, direction, walk.dt, escape=escape, method=walk.method)
        t = torch.arange(2 * samples + 1, dtype=z0.dtype, device=z0.device) * (time / samples)
        with torch.no_grad():
            orbit = integrate(walk.flow, z0, t, walk.method, substeps=EVERY)
        chaotic, exponent, error = _by_deviations(walk, threshold, seed, progress)
        far = lost(orbit.z, escape)
        left = far[..., : samples + 1].any(-1)
        return cls(
            flow=walk.flow,
            orbit=orbit,
            section=section,
            direction=direction,
            chaotic=chaotic.reshape(walk.batch),
            exponent=exponent.reshape(walk.batch).masked_fill(left, torch.nan),
            error=error.reshape(walk.batch).masked_fill(left, torch.nan),
            escaped=section.escaped | far.any(-1),
            time=time,
            method=walk.method,
        )

    @property
    def stretches(self) -> tuple[Orbit, Orbit]:
        """The orbits over the first time and over the second, which both have the state between them."""
        middle = len(self.orbit.t) // 2
        return self.orbit[..., : middle + 1], self.orbit[..., middle:]

    def crossings(self, orbit: int) -> tuple[Float[Tensor, "M D"], Float[Tensor, "N D"]]:
        """Where an orbit, counted through the flattened batch, pierced the surface in the first time and in the second."""
        mine = self.section.orbit == orbit
        early = self.section.t <= self.time
        return self.section.z[mine & early], self.section.z[mine & ~early]

    @cached_property
    def horizon(self) -> Float[Tensor, "*batch"]:
        """How long each orbit is that of the flow itself: until one in steps half as long parts from it, within the time.

        A forecast that agrees with it for longer has the integrator's errors in common. NaN for orbits that escape.
        """
        first = self.stretches[0]
        with torch.no_grad():
            finer = integrate(self.flow, first.z[..., 0, :], first.t, self.method, substeps=2 * EVERY)
        return valid_time(finer, first, CERTAIN)


def valid_time(forecast: Orbit, truth: Orbit, threshold: float = 0.4) -> Float[Tensor, "*batch"]:
    """As `valid_prediction_time`, but NaN for orbits of the truth that are not finite."""
    unknown = ~truth.z.isfinite().all(-1).all(-1)
    filled = replace(truth, z=truth.z.masked_fill(unknown[..., None, None], 1.0))
    return valid_prediction_time(forecast, filled, threshold).masked_fill(unknown, torch.nan)


def _by_deviations(
    walk: Walk, threshold: float, seed: int, progress: str | None
) -> tuple[Bool[Tensor, " n"], Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Which orbits are chaotic, their largest exponents, and the standard errors of these."""
    z, w = walk.z, deviations(walk.z, 2, seed)
    chaotic = torch.zeros(len(z), dtype=torch.bool, device=z.device)
    grown = torch.zeros(len(z), dtype=torch.float64, device=z.device)  # the logarithm of the first deviation's length
    growth, ends = [], []
    for first, steps in tqdm(list(pieces(walk.steps)), desc=progress, disable=progress is None, leave=False):
        z, w, more = advance(walk, first, steps, z, w)
        grown = (grown + more).masked_fill(w.isnan().any(-1).any(-1), torch.nan)
        chaotic |= by_growth(smallest(w), grown, threshold)
        growth.append(grown)
        ends.append((first + steps) * walk.dt)
    t = torch.tensor(ends, dtype=torch.float64, device=z.device)
    history = (torch.stack(growth, dim=1) / t)[..., None]
    return chaotic, history[:, -1, 0].to(z), standard_error(history, t)[:, 0].to(z)
