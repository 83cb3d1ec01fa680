"""How far the dynamics of a model are those of the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import inf, isnan, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from scipy.stats import binomtest
from scipy.stats import t as student
from torch import Tensor

from physlearn.chaos.classes import CHAOTIC, CLASSES, ESCAPED
from physlearn.chaos.dynamics import Dynamics, valid_time
from physlearn.chaos.overlap import Periods, hellinger, nearest
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
    >>> model, truth = (Dynamics.of(flow, z0, 16, dt=0.0625, progress=False) for flow in (slow, oscillator))
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


@dataclass(frozen=True, eq=False)
class DynamicsComparison:
    """A model's dynamics held against the truth's, and the truth's against themselves.

    table: a row an orbit, with

    * ``class_truth``, ``class_model``: "regular", "chaotic", "undecided" or "escaped", as of `classify`;
    * ``chaotic_truth``, ``chaotic_model``: whether the orbit is chaotic; missing where it is undecided, or escaped before it
      had a class;
    * ``agree``: whether both are chaotic or both regular; missing where either is undecided, or the true one escaped. They do
      not agree where the model's orbit alone escaped;
    * ``exponent_truth``, ``exponent_model`` and ``.._error``: the largest Lyapunov exponents with their standard errors;
    * ``escaped_truth``, ``escaped_model``: whether the orbit left, the model's also if it got ten times as far as any true
      orbit that stayed;
    * ``section``: "hellinger" for orbits chaotic in the truth, "nearest" for regular ones; ``section_model``,
      ``section_truth``: that distance of the model from the truth, and of the truth from itself;
    * ``marginals_..`` and ``spectrum_..``: likewise, the means over the coordinates of `physlearn.metrics.marginals` and
      `physlearn.metrics.spectrum`;
    * ``valid_time``: the valid prediction time at the threshold 0.4, to within the four steps from one state that was kept to
      the next, and at most the horizon to which the true orbit is known;
      ``lyapunov_times``: the same times the true exponent, for orbits chaotic in the truth.

    Distances are those of one stretch of time from the other stretch of the truth, averaged over both ways: those of the
    truth from itself are what orbits of that length leave, and a model that is the truth has the very same. Where the truth
    has one and the model has none (it escaped, or never pierced the surface) the model's is the worst: 1 for Hellinger's
    and spectra, infinite for the others. pooled: Hellinger's distances, model and truth, of the points of all orbits that
    are chaotic in the truth and do not escape: a finer grid, of use where they share one sea, as those of one energy do.
    """

    table: pd.DataFrame
    pooled: tuple[float, float]

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """A row a quantity, with the columns ``model``, ``low``, ``high``, ``truth`` and ``orbits``.

        Fractions, with Wilson's interval: ``class_agreement``, ``chaotic_fraction`` (of the orbits that are regular or
        chaotic), ``undecided_fraction`` and ``escaped_fraction``. ``exponent_of_chaotic``: the mean over the orbits chaotic in
        each, with Student's interval. Then medians, the truth's being those of the truth from itself: ``hellinger``,
        ``hellinger_pooled``, ``nearest``, ``marginals``, ``spectrum``; and ``valid_time`` and ``lyapunov_times``, which the
        truth has none of. low, high: the interval of the model's value. orbits: how many it is of.
        Source: Wilson, J. Am. Stat. Assoc. 22, 209 (1927).
        """
        if not 0 < confidence < 1:
            raise InputError(f"confidence must lie between 0 and 1, not {confidence}")
        table = self.table
        rows: dict[str, dict[str, float]] = {"class_agreement": _fraction(table["agree"], confidence)}
        for name in ("chaotic", "undecided", "escaped"):
            of_both = {
                side: table[f"class_{side}"] == name if name == "undecided" else table[f"{name}_{side}"]
                for side in ("model", "truth")
            }
            found = {side: _fraction(said, confidence) for side, said in of_both.items()}
            rows[f"{name}_fraction"] = found["model"] | {"truth": found["truth"]["model"]}
        of_model, of_truth = (
            table.loc[table[f"chaotic_{side}"].fillna(False).astype(bool), f"exponent_{side}"] for side in ("model", "truth")
        )
        rows["exponent_of_chaotic"] = _mean(of_model, confidence)
        rows["exponent_of_chaotic"]["truth"] = _mean(of_truth, confidence)["model"]
        for measure in ("hellinger", "nearest"):
            of_kind = table[table["section"] == measure]
            rows[measure] = _medians(of_kind, "section")
            if measure == "hellinger":
                model, truth = self.pooled
                rows["hellinger_pooled"] = {"model": model, "truth": truth, "orbits": rows[measure]["orbits"]}
        rows |= {name: _medians(table, name) for name in ("marginals", "spectrum")}
        for name in ("valid_time", "lyapunov_times"):
            rows[name] = {"model": _median(table[name]), "orbits": int(table[name].count())}
        summary = pd.DataFrame.from_dict(rows, orient="index", columns=["model", "low", "high", "truth", "orbits"])
        return summary.rename_axis("quantity").astype({"orbits": int})


def _fraction(said: pd.Series, confidence: float) -> dict[str, float]:
    yes, n = int(said.sum()), int(said.count())
    if not n:
        return {"model": nan, "orbits": 0}
    interval = binomtest(yes, n).proportion_ci(confidence, method="wilson")
    return {"model": yes / n, "low": interval.low, "high": interval.high, "orbits": n}


def _mean(values: pd.Series, confidence: float) -> dict[str, float]:
    known = values.dropna().to_numpy(dtype=float)
    n = len(known)
    if not n:
        return {"model": nan, "orbits": 0}
    mean = float(known.mean())
    off = float(student.ppf((1 + confidence) / 2, n - 1) * known.std(ddof=1)) / sqrt(n) if n > 1 else nan
    return {"model": mean, "low": mean - off, "high": mean + off, "orbits": n}


def _medians(table: pd.DataFrame, name: str) -> dict[str, float]:
    model, truth = table[f"{name}_model"], table[f"{name}_truth"]
    return {"model": _median(model), "truth": _median(truth), "orbits": int(model.count())}


def _median(values: pd.Series) -> float:
    """Of what is known; infinite where the middle is."""
    known = np.sort(values.dropna().to_numpy(dtype=float))
    return float((known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2) if len(known) else nan
