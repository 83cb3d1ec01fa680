"""The first near return of an orbit to its start, from which the search for a periodic orbit begins."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.periodic_orbits.shooting import Shooter
from physlearn.chaos.time_scale import PROBED, STEP, time_scale
from physlearn.integrators import find
from physlearn.metrics.spread import RESOLVED
from systems import InputError
from systems.periodic import shortest

STRETCHES = (1000, 4000, 16000, 64000)  # steps after which the orbit is looked at
NEAR, FAR = 0.1, 0.5  # distances of a good return and of the worst one, in units of the orbit's own spread
SHORTENINGS = 8  # most trials of a step
HARDLY = 1e-6  # smallest spread, relative to the effect of other coordinates: rounding is not below the tolerance of a smaller


def near_return(shooter: Shooter, z: Float[Tensor, " D"]) -> float:
    """Return the time after which the orbit from z first comes back near to z.

    Raises InputError if it does not come back, or does not move.
    """
    dt = _step(shooter, z)
    path, closest = z[None], (torch.inf, 0.0)
    for steps in STRETCHES:
        path = torch.cat([path, _path(shooter, path[-1], dt, steps + 1 - len(path))])
        if not path.isfinite().all():
            break
        away = _distances(shooter, path, steps * dt)
        left = away.cummax(0).values > away.max() / 2  # it has been away
        inner = (away[1:-1] <= away[:-2]) & (away[1:-1] <= away[2:]) & left[1:-1]
        places = inner.nonzero().squeeze(-1) + 1
        if not len(places):
            continue
        good = places[away[places] < NEAR]
        if len(good):
            return float(good[0]) * dt
        best = places[away[places].argmin()]
        closest = min(closest, (float(away[best]), float(best) * dt))
    if closest[0] < FAR:
        return closest[1]
    raise InputError(
        f"the orbit from {[round(x, 6) for x in z.tolist()]} does not come back near its start within t = "
        f"{(len(path) - 1) * dt:.3g}; choose another initial state, or give a guess of the period"
    )


def _step(shooter: Shooter, z: Float[Tensor, " D"]) -> float:
    """Return a step from the time scale of states along the orbit, as that of a single state may be exceptional.

    A first path, with the step of z alone, may be too long or diverge; the step is then shortened until the path suits it.
    """
    dt = STEP * time_scale(shooter.flow, z[None])
    for _ in range(SHORTENINGS):
        path = _path(shooter, z, dt, STRETCHES[0])
        fine = path.isfinite().all(-1)
        own = STEP * time_scale(shooter.flow, path[fine]) if fine.any() else dt / 2
        if fine.all() and own >= dt:
            break
        dt = min(own, dt / 2)
    return dt


def spread(
    shooter: Shooter, path: Float[Tensor, "T D"], time: float, moved: Float[Tensor, "T D"] | None = None
) -> Float[Tensor, " D"]:
    """Return the standard deviation of each coordinate along a path, or a natural unit for coordinates that hardly move.

    Each coordinate may have its own unit of measurement, so coordinates are not compared with each other directly. How far one
    would move follows from the spread of those on which its rate depends, acting for the time of the path, or for the time in
    which the coordinate relaxes by itself if that is shorter. A coordinate that moves by less than `HARDLY` of this, or only
    by rounding, gets it as its unit. If no other coordinate acts on it, its own size is used instead, and the largest spread
    if it is zero.

    Parameters
    ----------
    shooter
        The flow.
    path : shape ``(T, D)``
        States.
    time
        Duration of the path.
    moved : shape ``(T, D)``
        The path without the turns of angles, if there are any.
    """
    size = (path if moved is None else moved).std(0)
    jacobian = shooter.flow.jacobian(path.new_zeros(()), path[:: max(1, len(path) // PROBED)]).abs()
    own = jacobian.diagonal(dim1=-2, dim2=-1)
    lasting = (1 / own.clamp(min=1 / time))[..., None]
    acting = (jacobian - torch.diag_embed(own)) * lasting * size
    reach, level = acting.sum(-1).amax(0), path.abs().amax(0)
    largest = size.max() if float(size.max()) > 0 else size.new_ones(())
    unit = torch.where(reach > 0, reach, torch.where(level > 0, level, largest))
    return torch.where(size > torch.maximum(HARDLY * reach, RESOLVED * level), size, unit)


def _distances(shooter: Shooter, path: Float[Tensor, "T D"], time: float) -> Float[Tensor, " T"]:
    moved = shortest(path - path[0], shooter.flow.periods, shooter.names)
    return (moved / spread(shooter, path, time, moved)).square().mean(-1).sqrt()


def _path(shooter: Shooter, z: Float[Tensor, " D"], dt: float, steps: int) -> Float[Tensor, "steps D"]:
    """Return the states after each of some steps of the rollout's method."""
    rollout = shooter.rollout
    if rollout.compiled is not None:
        method = find(rollout.method)(rollout.flow)
        return rollout.compiled.path(method, z[None], 0.0, dt, [1] * steps)[1:, 0]
    states, step = [], rollout.kind(rollout.flow).step
    for _ in range(steps):
        z = step(z.new_zeros(()), z[None], dt)[0]
        states.append(z)
    return torch.stack(states)
