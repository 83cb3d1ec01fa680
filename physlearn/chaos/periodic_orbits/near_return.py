"""The first near return of an orbit to its start, from which the search for a periodic orbit begins."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from physlearn.chaos.periodic_orbits.shooting import Shooter
from physlearn.chaos.time_scale import PROBED, STEP, time_scale
from physlearn.integrators import find
from systems import InputError
from systems.periodic import shortest

STRETCHES = (1000, 4000, 16000, 64000)  # steps after which the orbit is looked at
NEAR, FAR = 0.1, 0.5  # distances of a good return and of the worst one, in units of the orbit's own spread

AROUND = 0.3  # relative distance of the states near the start whose time scale is measured


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
        away = _distances(shooter, path)
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
    """Return a step from the time scale of states near z, as that of a single state may be exceptional."""
    near = 1 + AROUND * torch.linspace(-1, 1, PROBED * len(z), dtype=z.dtype).reshape(PROBED, -1).mul(40).cos()
    dt = STEP * time_scale(shooter.flow, z * near)
    path = _path(shooter, z, dt, STRETCHES[0])
    return min(dt, STEP * time_scale(shooter.flow, path)) if path.isfinite().all() else dt


def spread(shooter: Shooter, path: Float[Tensor, "T D"]) -> Float[Tensor, " D"]:
    """Return the standard deviation of each coordinate along a path; the largest one for coordinates that hardly move."""
    size = path.std(0)
    largest = size.max() if float(size.max()) > 0 else size.new_ones(())
    return torch.where(size > 1e-6 * largest, size, largest)


def _distances(shooter: Shooter, path: Float[Tensor, "T D"]) -> Float[Tensor, " T"]:
    moved = shortest(path - path[0], shooter.flow.periods, shooter.names)
    return (moved / spread(shooter, moved)).square().mean(-1).sqrt()


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
