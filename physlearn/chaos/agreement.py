"""How far the dynamics of a model are those of the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from physlearn.chaos.classes import CHAOTIC, CLASSES, ESCAPED
from physlearn.chaos.dynamics import Dynamics, valid_time
from physlearn.chaos.overlap import Periods, hellinger, nearest
from physlearn.chaos.verdict import DynamicsComparison
from physlearn.metrics import lyapunov_times, marginals, spectrum
from physlearn.metrics.spread import spreads
from systems import InputError, Orbit

FAR = 10  # times the farthest that the bounded true orbits get: a model whose field is bounded leaves, but does not blow up

Stretches = tuple[Tensor, Tensor]


def compare_dynamics(model: Dynamics, truth: Dynamics, plane: Sequence[str | int] | None = None) -> DynamicsComparison:
    """Hold what was seen of a model against what was seen of the truth, from the same initial states in the same steps.

    plane: the coordinates of the truth in which to compare the points on the surface; by default those of its section.

    Raises InputError where the two were not followed alike, or for a plane of coordinates that are none.

    >>> import systems
    >>> oscillator = systems.get("harmonic-oscillator")
    >>> z0 = torch.tensor([[1.0, 0.0], [0.5, 0.0]], dtype=torch.float64)
    >>> def slow(t, z):
    ...     return 0.9 * oscillator.vector_field(t, z)
    >>> model, truth = (Dynamics.of(flow, z0, 16, (0, 0.0), dt=0.0625) for flow in (slow, oscillator))
    >>> compare_dynamics(model, truth).table["valid_time"].tolist()
    [4.0, 4.0]
    """
    _check_alike(model, truth)
    names = truth.orbit.coordinates
    axes = [truth.orbit.index(coordinate) for coordinate in (truth.section.plane if plane is None else plane)]
    if not axes:
        raise InputError(f"a plane needs at least one of the coordinates {', '.join(names)}")
    true = [_flat(orbit) for orbit in truth.stretches]
    seen = [replace(_flat(orbit), coordinates=names, periods=truth.orbit.periods) for orbit in model.stretches]
    stayed = ~truth.escaped.reshape(-1)
    left_early, left = _left(model, truth)
    table = _classes(model, truth, left_early)
    table["escaped_truth"], table["escaped_model"] = _array(~stayed), _array(left)
    followed = [~dynamics.section.unresolved.reshape(-1) for dynamics in (model, truth)]
    known = stayed & followed[1]
    clouds = _clouds(model, axes, ~left), _clouds(truth, axes, known)
    table["section"] = table["chaotic_truth"].map({True: "hellinger", False: "nearest"}, na_action="ignore")
    sizes = _sizes(truth, axes)
    periods = [truth.orbit.periods.get(names[i]) for i in axes]
    both = _array(followed[0] & followed[1])
    measures = table["section"].where(both)
    distances = [_section(*row, periods) for row in zip(measures, *clouds, sizes, strict=True)]
    table[["section_model", "section_truth"]] = np.array(distances, dtype=float).reshape(-1, 2)
    bounded = [replace(orbit, z=orbit.z.masked_fill(left[:, None, None], nan)) for orbit in seen]
    for name, measure in (("marginals", marginals), ("spectrum", spectrum)):
        table[f"{name}_model"] = _climate(measure, bounded, true, known)
        table.loc[_array(~followed[0]), f"{name}_model"] = nan
        table[f"{name}_truth"] = _climate(measure, true, true, known)
    valid = valid_time(seen[0], true[0]).minimum(truth.horizon.reshape(-1))
    chaotic = truth.chaotic.reshape(-1)
    table["valid_time"] = _array(valid)
    table["lyapunov_times"] = _array(lyapunov_times(valid, truth.exponent.reshape(-1), chaotic))
    sea = (chaotic & known).nonzero().squeeze(-1).tolist()
    pooled = [_pool([side[i] for i in sea]) for side in clouds] if sea else None
    return DynamicsComparison(
        table, (nan, nan) if pooled is None else _apart(partial(hellinger, periods=periods), 1.0, *pooled)
    )


def _check_alike(model: Dynamics, truth: Dynamics) -> None:
    """Raise InputError unless both were followed from the same states, for the same time, onto the same surface."""
    if model.orbit.z.shape != truth.orbit.z.shape or not torch.equal(model.orbit.t, truth.orbit.t):
        raise InputError("model and truth were not followed alike: give Dynamics.of the same states, time and dt for both")
    if not torch.equal(model.orbit.z[..., 0, :], truth.orbit.z[..., 0, :]):
        raise InputError("model and truth were followed from different initial states")
    surfaces = [(d.orbit.index(d.section.surface[0]), d.section.surface[1], d.direction) for d in (model, truth)]
    if surfaces[0] != surfaces[1]:
        raise InputError(
            f"the sections differ: {model.section.surface} in direction {model.direction} of the model, "
            f"{truth.section.surface} in direction {truth.direction} of the truth"
        )


def _flat(orbit: Orbit) -> Orbit:
    return replace(orbit, z=orbit.z.reshape(-1, *orbit.z.shape[-2:]))


def _left(model: Dynamics, truth: Dynamics) -> tuple[Bool[Tensor, " n"], Bool[Tensor, " n"]]:
    """Which orbits of the model left, in the first stretch and at all.

    Distances are measured in units of the rms of each coordinate over all true orbits that stayed; angles do not count.
    """
    solid = ~torch.tensor([name in truth.orbit.periods for name in truth.orbit.coordinates])
    stayed = _flat(truth.orbit).z[~truth.escaped.reshape(-1)][..., solid]
    size = stayed.square().flatten(0, -2).mean(0).sqrt()
    size = size.where(size > 0, 1.0)
    radius = FAR * float((stayed / size).norm(dim=-1).max()) if stayed.numel() else inf
    # NaN is gone
    gone = [~((_flat(orbit).z[..., solid] / size).norm(dim=-1) <= radius).all(-1) for orbit in model.stretches]
    return gone[0], gone[0] | gone[1] | model.escaped.reshape(-1)


def _classes(model: Dynamics, truth: Dynamics, left_early: Bool[Tensor, " n"]) -> pd.DataFrame:
    """Classes, whether they agree, and exponents with their errors."""
    unknown = {"truth": truth.exponent.reshape(-1).isnan(), "model": model.exponent.reshape(-1).isnan() | left_early}
    columns: dict[str, Any] = {}
    for side, seen in (("truth", truth), ("model", model)):
        # one that was chaotic before it left was chaotic
        gone = unknown[side] & ~seen.undecided.reshape(-1)
        if side == "model":
            gone = gone | left_early
        code = seen.classes.code.reshape(-1)
        code = torch.where(gone & (code != CHAOTIC), ESCAPED, code)
        columns[f"class_{side}"] = np.array(CLASSES, dtype=object)[_array(code)]
    for side in ("truth", "model"):
        known = np.isin(columns[f"class_{side}"], ("regular", "chaotic"))
        columns[f"chaotic_{side}"] = pd.Series(columns[f"class_{side}"] == "chaotic", dtype="boolean").where(known)
    true, learned = columns["chaotic_truth"], columns["chaotic_model"]
    judged = true.notna() & (columns["class_model"] != "undecided")
    columns["agree"] = (true == learned).fillna(False).where(judged)
    for side, seen in (("truth", truth), ("model", model)):
        for name, values in ((f"exponent_{side}", seen.exponent), (f"exponent_{side}_error", seen.error)):
            columns[name] = _array(values.reshape(-1).masked_fill(unknown[side], nan))
    return pd.DataFrame(columns).rename_axis("orbit")


def _array(values: Tensor) -> np.ndarray:
    array: np.ndarray = values.detach().reshape(-1).cpu().numpy()
    return array


def _clouds(dynamics: Dynamics, axes: list[int], stayed: Bool[Tensor, " n"]) -> list[Stretches]:
    """The points of each orbit in the plane, in the first stretch and the second; none of an orbit that escaped."""
    clouds = []
    for orbit, stays in enumerate(stayed.tolist()):
        first, second = (part[:, axes] if stays else part[:0, axes] for part in dynamics.crossings(orbit))
        clouds.append((first, second))
    return clouds


def _sizes(truth: Dynamics, axes: list[int]) -> Float[Tensor, "n d"]:
    """The standard deviation of each coordinate along each true orbit; 1 where it is constant."""
    spread = spreads(_flat(truth.orbit))[..., axes]
    return spread.where(spread > 0, 1.0)


def _pool(clouds: Sequence[Stretches]) -> Stretches:
    first, second = zip(*clouds, strict=True)
    return torch.cat(first), torch.cat(second)


def _section(
    measure: str | Any, model: Stretches, truth: Stretches, size: Float[Tensor, " d"], periods: Periods
) -> tuple[float, float]:
    """The distances of model and truth from the truth, by the measure that suits the orbit."""
    if measure == "hellinger":
        return _apart(partial(hellinger, periods=periods), 1.0, model, truth)
    if measure == "nearest":
        return _apart(partial(nearest, size=size, periods=periods), inf, model, truth)
    return nan, nan


def _apart(
    distance: Callable[[Tensor, Tensor], float], worst: float, model: Stretches, truth: Stretches
) -> tuple[float, float]:
    """The mean distances of model and truth from the other stretch of the truth; the worst where the model has none."""
    own, other = ((distance(side[0], truth[1]) + distance(side[1], truth[0])) / 2 for side in (truth, model))
    return (worst if isnan(other) and not isnan(own) else other), own


def _climate(
    measure: Callable[[Orbit, Orbit], Tensor], seen: Sequence[Orbit], true: Sequence[Orbit], known: Bool[Tensor, " n"]
) -> Float[np.ndarray, " n"]:
    """The mean over coordinates and both ways; NaN where there is no truth to compare with."""
    values = torch.full(known.shape, nan, dtype=torch.float64)
    kept = known.nonzero().squeeze(-1)
    ways = [measure(seen[i][kept], true[1 - i][kept]) for i in (0, 1)]
    values[kept.cpu()] = torch.stack(ways).mean(-1).mean(0).double().cpu()
    return values.numpy()
