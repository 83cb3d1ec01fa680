"""The long-term dynamics of a flow: section, class and exponent of each orbit, and escape."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.classification.classes import Classification
from physlearn.chaos.classification.classify import THRESHOLD, shaped
from physlearn.chaos.classification.follow import check_threshold, classify_rollout
from physlearn.chaos.leaving import Bounds
from physlearn.chaos.resolution import Resolution, resolve
from physlearn.chaos.rollout import Rollout
from physlearn.chaos.sections.section import Section, section_of, surface_of
from physlearn.flow import FlowLike
from physlearn.integrators import Flow, integrate
from physlearn.metrics import valid_prediction_time
from systems import AccuracyWarning, Orbit
from systems.autograd_mode import unrecorded
from systems.brief import Brief
from systems.deprecation import keyword_only
from systems.floats import takes_arrays

EVERY = 4  # steps between stored states: the shortest period that the steps resolve still contains several states
# An orbit is that of the flow as long as it differs from one with half the step by less than this part of its spread, as in
# truth_horizon.
CERTAIN = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class Dynamics(Brief):
    """The observed dynamics of a flow along the orbits of some initial states.

    Orbits are followed for two stretches, each of length ``time``, so that the statistics of one stretch can be compared with
    those of the other. Deviation vectors are followed in the first stretch only; they account for nearly all of the cost.

    Parameters
    ----------
    flow
        The flow that was integrated.
    orbit : shape ``(..., T, D)``
        Both stretches, with every fourth step of the rollout.
    section
        The crossings of the surface in both stretches.
    direction
        Direction of the crossings: 1, -1, or 0 for both.
    classes
        Class, exponent and step of each orbit over the first stretch, as in `classify`.
    exponent, error : shape ``(...)``
        The largest Lyapunov exponent over the whole first stretch and its standard error [1 / time]; NaN if the orbit
        escaped in this stretch or is not resolved by any step.
    escaped : shape ``(...)``
        Whether the orbit left at any time.
    time
        The length of a stretch.
    method
        Name of the integrator.
    rollout
        The initial states and fixed steps.
    resolution
        The scale of each orbit and the step that resolves it.
    """

    flow: Flow
    orbit: Orbit
    section: Section
    direction: int
    classes: Classification
    exponent: Float[Tensor, "*batch"]
    error: Float[Tensor, "*batch"]
    escaped: Bool[Tensor, "*batch"]
    time: float
    method: str
    rollout: Rollout
    resolution: Resolution

    @classmethod
    @keyword_only("surface", "direction", "dt")
    @takes_arrays("z0")
    @unrecorded
    def of(
        cls,
        flow: FlowLike,
        z0: Float[Tensor, "*batch D"],
        time: float | None = None,
        *,
        dt: float | None = None,
        surface: tuple[str | int, float] | None = None,
        direction: int = 1,
        threshold: float = THRESHOLD,
        escape: float | None = None,
        seed: int = 0,
        method: str | None = None,
        progress: bool | str = True,
    ) -> Dynamics:
        r"""Follow the orbits of a flow from z0.

        Class and exponent come from one run with two deviation vectors, by the criteria of `classify`.

        Parameters
        ----------
        flow
            A system, a trained model or Forecaster, or a function ``f(t, z)``. Coordinates without names are numbered.
        z0 : shape ``(..., D)``
            Initial states. Compiled code follows states in float32 in float64; torch does not, and rounding then keeps the
            index above 1e-6.
        time
            The length of a stretch; by default 1000 time scales of the flow (see `classify`).
        dt
            Step; by default 0.05 time scales. Orbits that are not resolved by this step are integrated with ``dt / 8``.
        surface, direction
            As in `poincare_section`; by default the surface is the system's own.
        threshold
            Value of the smaller alignment index below which an orbit may be chaotic.
        escape
            As in `poincare_section`.
        seed
            Random seed for the deviation vectors.
        method
            An explicit integrator, as in `lyapunov_exponents`.
        progress
            Whether to show a progress bar. A string is used as its label, which defaults to the name of the flow.

        Returns
        -------
        Dynamics
            The observed dynamics.

        Raises
        ------
        InputError
            For invalid arguments.

        References
        ----------
        Skokos, J. Phys. A 34, 10029 (2001), for the index; Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 15, 9 (1980), for
        the exponent.

        Examples
        --------
        >>> import systems
        >>> pendulum = systems.get("pendulum")
        >>> seen = Dynamics.of(pendulum, torch.tensor([1.0, 0.0]).double(), time=20, dt=0.05, progress=False)
        >>> bool(seen.chaotic), bool(seen.escaped), len(seen.section)
        (False, False, 6)
        """
        rollout = Rollout.of(flow, z0, time, dt, method)
        time, samples = (rollout.time if time is None else time), ceil(rollout.steps / EVERY)
        rollout = replace(rollout, steps=EVERY * samples, dt=time / (EVERY * samples))
        check_threshold(threshold, rollout.z.dtype)
        cut, bounds = surface_of(flow, rollout, surface, direction), Bounds.of(rollout, escape)
        resolution = resolve(rollout)
        section = section_of(replace(rollout, steps=2 * rollout.steps), resolution, cut, bounds)
        t = torch.arange(2 * samples + 1, dtype=rollout.z.dtype, device=rollout.z.device) * (time / samples)
        orbit = _orbit(rollout, resolution, t)
        bar = progress if isinstance(progress, str) else rollout.flow.name if progress else None
        found = classify_rollout(rollout, resolution, threshold, seed, to_the_end=True, progress=bar)
        classes = rollout.rounded(shaped(found, rollout.batch))
        everyone = torch.arange(len(rollout.z), device=rollout.z.device)
        far = bounds.among(everyone, resolution.scale).left(orbit.z.movedim(-2, 0).reshape(len(t), *rollout.z.shape), everyone)
        early = far[: samples + 1].any(0).reshape(rollout.batch)
        return cls(
            flow=rollout.flow,
            orbit=replace(orbit, z=rollout.rounded(orbit.z)),
            section=rollout.rounded(section),
            direction=direction,
            classes=classes,
            exponent=classes.exponent.masked_fill(early, torch.nan),
            error=classes.error.masked_fill(early, torch.nan),
            escaped=section.escaped | far.any(0).reshape(rollout.batch),
            time=time,
            method=rollout.method,
            rollout=rollout,
            resolution=resolution,
        )

    @property
    def chaotic(self) -> Bool[Tensor, "*batch"]:
        """Whether each orbit is chaotic in the first stretch."""
        return self.classes.chaotic

    @property
    def undecided(self) -> Bool[Tensor, "*batch"]:
        """Whether each orbit is not resolved by the steps, or needs a longer time to be classified."""
        return self.classes.undecided

    @property
    def stretches(self) -> tuple[Orbit, Orbit]:
        """The orbits in the first and in the second stretch; both include the state between them."""
        middle = len(self.orbit.t) // 2
        return self.orbit[..., : middle + 1], self.orbit[..., middle:]

    def crossings(self, orbit: int) -> tuple[Float[Tensor, "M D"], Float[Tensor, "N D"]]:
        """Return the crossings of one orbit in the first and in the second stretch.

        Parameters
        ----------
        orbit
            Index of the orbit in the flattened batch.

        Returns
        -------
        tuple of Tensor, shapes ``(M, D)`` and ``(N, D)``
            The states on the surface in each stretch.
        """
        mine = self.section.orbit == orbit
        early = self.section.t <= self.time
        return self.section.z[mine & early], self.section.z[mine & ~early]

    @cached_property
    @unrecorded
    def horizon(self) -> Float[Tensor, "*batch"]:
        """The time up to which each orbit is converged: until an orbit with half the step deviates from it.

        It is at most the length of a stretch, and NaN for orbits that escape. A forecast that agrees with the orbit for longer
        shares the errors of the integrator.
        """
        first = self.stretches[0]
        return valid_time(_orbit(self.rollout, self.resolution, first.t, halvings=1), first, CERTAIN)


def _orbit(rollout: Rollout, resolution: Resolution, t: Float[Tensor, " T"], halvings: int = 0) -> Orbit:
    """Integrate the orbits of a rollout at times ``EVERY`` steps apart, each with the step that resolves it."""
    z = torch.empty(len(rollout.z), len(t), rollout.z.shape[-1], dtype=rollout.z.dtype, device=rollout.z.device)
    for rows, group in resolution.groups(rollout):
        substeps = EVERY * 2**halvings * (group.steps // rollout.steps)
        with warnings.catch_warnings():  # orbits that no step resolves are reported as undecided
            warnings.simplefilter("ignore", AccuracyWarning)
            z[rows] = integrate(rollout.flow, group.z, t, rollout.method, substeps=substeps, progress=False).z
    return Orbit(
        t,
        z.reshape(*rollout.batch, *z.shape[1:]),
        coordinates=rollout.coordinates,
        provenance={"flow": rollout.flow.name, "integrator": {"name": rollout.method, "dt": rollout.dt / 2**halvings}},
        periods=rollout.flow.periods,
    )


def valid_time(forecast: Orbit, truth: Orbit, threshold: float = 0.4) -> Float[Tensor, "*batch"]:
    """Return the `valid_prediction_time`, but NaN where the true orbit is not finite."""
    unknown = ~truth.z.isfinite().all(-1).all(-1)
    filled = replace(truth, z=truth.z.masked_fill(unknown[..., None, None], 1.0))
    return valid_prediction_time(forecast, filled, threshold).masked_fill(unknown, torch.nan)
