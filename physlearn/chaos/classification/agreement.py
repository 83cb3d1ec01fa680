"""Compare the long-term dynamics of a model with those of the true system."""

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

from physlearn.chaos.classification.classes import CHAOTIC, CLASSES, ESCAPED
from physlearn.chaos.classification.dynamics import Dynamics, valid_time
from physlearn.chaos.classification.overlap import Periods, hellinger, nearest
from physlearn.metrics import lyapunov_times, marginals, spectrum
from physlearn.metrics.spread import spreads
from systems import InputError, Orbit
from systems.brief import Brief

# A model's orbit has left if it is this many times farther out than any bounded true orbit. A model with a bounded vector
# field drifts away without ever becoming infinite.
FAR = 10

Stretches = tuple[Tensor, Tensor]


def compare_dynamics(model: Dynamics, truth: Dynamics, plane: Sequence[str | int] | None = None) -> DynamicsComparison:
    """Compare the dynamics of a model with those of the truth.

    Both must have been followed from the same initial states with the same times and steps.

    Parameters
    ----------
    model, truth
        The dynamics of the model and of the true system, from `Dynamics.of`.
    plane
        Coordinates of the truth, by name or index, in which to compare the points on the surface; defaults to the plane of
        the truth's section.

    Returns
    -------
    DynamicsComparison
        One row per orbit, and the distance between the pooled chaotic orbits.

    Raises
    ------
    InputError
        If the initial states, times or sections of the two differ, or if ``plane`` is empty or names an unknown coordinate.

    Examples
    --------
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
        raise InputError(f"plane is empty; give at least one of the coordinates {', '.join(names)}")
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
    """Raise InputError unless both have the same initial states, times and surface of section."""
    if model.orbit.z.shape != truth.orbit.z.shape or not torch.equal(model.orbit.t, truth.orbit.t):
        raise InputError(
            "model and truth have orbits of different shapes or times; call Dynamics.of with the same z0, time and dt for both"
        )
    if not torch.equal(model.orbit.z[..., 0, :], truth.orbit.z[..., 0, :]):
        raise InputError("model and truth start from different initial states; call Dynamics.of with the same z0 for both")
    cuts = [dynamics.section.surface for dynamics in (model, truth)]
    surfaces = [cut and (d.orbit.index(cut[0]), cut[1], d.direction) for cut, d in zip(cuts, (model, truth), strict=True)]
    if surfaces[0] != surfaces[1]:
        raise InputError(
            f"the sections differ: the model has {model.section.surface} in direction {model.direction} and the truth has "
            f"{truth.section.surface} in direction {truth.direction}; use the same surface and direction for both"
        )


def _flat(orbit: Orbit) -> Orbit:
    return replace(orbit, z=orbit.z.reshape(-1, *orbit.z.shape[-2:]))


def _left(model: Dynamics, truth: Dynamics) -> tuple[Bool[Tensor, " n"], Bool[Tensor, " n"]]:
    """Return which orbits of the model left in the first stretch, and which left at any time.

    Distances are measured in units of the rms of each coordinate over all true orbits that stayed. Angles are ignored.
    """
    solid = ~torch.tensor([name in truth.orbit.periods for name in truth.orbit.coordinates])
    stayed = _flat(truth.orbit).z[~truth.escaped.reshape(-1)][..., solid]
    size = stayed.square().flatten(0, -2).mean(0).sqrt()
    size = size.where(size > 0, 1.0)
    radius = FAR * float((stayed / size).norm(dim=-1).max()) if stayed.numel() else inf
    # written with ~(... <= radius) so that NaN counts as gone
    gone = [~((_flat(orbit).z[..., solid] / size).norm(dim=-1) <= radius).all(-1) for orbit in model.stretches]
    return gone[0], gone[0] | gone[1] | model.escaped.reshape(-1)


def _classes(model: Dynamics, truth: Dynamics, left_early: Bool[Tensor, " n"]) -> pd.DataFrame:
    """Return the table of the classes, their agreement, and the exponents with their errors."""
    unknown = {"truth": truth.exponent.reshape(-1).isnan(), "model": model.exponent.reshape(-1).isnan() | left_early}
    columns: dict[str, Any] = {}
    for side, seen in (("truth", truth), ("model", model)):
        # an orbit that was chaotic before it left stays chaotic
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
    """Return the points of each orbit in the plane in both stretches; escaped orbits have no points."""
    clouds = []
    for orbit, stays in enumerate(stayed.tolist()):
        first, second = (part[:, axes] if stays else part[:0, axes] for part in dynamics.crossings(orbit))
        clouds.append((first, second))
    return clouds


def _sizes(truth: Dynamics, axes: list[int]) -> Float[Tensor, "n d"]:
    """Return the standard deviation of each coordinate along each true orbit; 1 where it is constant."""
    spread = spreads(_flat(truth.orbit))[..., axes]
    return spread.where(spread > 0, 1.0)


def _pool(clouds: Sequence[Stretches]) -> Stretches:
    first, second = zip(*clouds, strict=True)
    return torch.cat(first), torch.cat(second)


def _section(
    measure: object, model: Stretches, truth: Stretches, size: Float[Tensor, " d"], periods: Periods
) -> tuple[float, float]:
    """Return the distances of model and truth from the truth, by the measure that suits the orbit."""
    if measure == "hellinger":
        return _apart(partial(hellinger, periods=periods), 1.0, model, truth)
    if measure == "nearest":
        return _apart(partial(nearest, size=size, periods=periods), inf, model, truth)
    return nan, nan


def _apart(
    distance: Callable[[Tensor, Tensor], float], worst: float, model: Stretches, truth: Stretches
) -> tuple[float, float]:
    """Return the mean distances of model and truth from the other stretch of the truth.

    The model's distance is ``worst`` where only the truth has one.
    """
    own, other = ((distance(side[0], truth[1]) + distance(side[1], truth[0])) / 2 for side in (truth, model))
    return (worst if isnan(other) and not isnan(own) else other), own


def _climate(
    measure: Callable[[Orbit, Orbit], Tensor], seen: Sequence[Orbit], true: Sequence[Orbit], known: Bool[Tensor, " n"]
) -> Float[np.ndarray, " n"]:
    """Return the measure averaged over coordinates and both pairings of stretches; NaN for an unknown truth."""
    values = torch.full(known.shape, nan, dtype=torch.float64)
    kept = known.nonzero().squeeze(-1)
    ways = [measure(seen[i][kept], true[1 - i][kept]) for i in (0, 1)]
    values[kept.cpu()] = torch.stack(ways).mean(-1).mean(0).double().cpu()
    return values.numpy()


@dataclass(frozen=True, eq=False, repr=False)
class DynamicsComparison(Brief):
    """Comparison of a model's dynamics with the truth, and of the truth with itself.

    The table has one row per orbit and these columns:

    * ``class_truth``, ``class_model``: "regular", "chaotic", "undecided" or "escaped", as in `classify`;
    * ``chaotic_truth``, ``chaotic_model``: whether the orbit is chaotic; missing if the orbit is undecided, or escaped
      before it was classified;
    * ``agree``: whether both orbits are chaotic or both are regular; missing if either is undecided or the true orbit
      escaped, and False if only the model's orbit escaped;
    * ``exponent_truth``, ``exponent_model`` and ``.._error``: the largest Lyapunov exponents and their standard errors;
    * ``escaped_truth``, ``escaped_model``: whether the orbit left; the model's orbit has also left if it got ten times as
      far as any true orbit that stayed;
    * ``section``: the distance between sections, "hellinger" for orbits that are chaotic in the truth and "nearest" for
      regular ones; ``section_model`` and ``section_truth`` are the distances of the model and of the truth from the truth;
    * ``marginals_..`` and ``spectrum_..``: the same for `physlearn.metrics.marginals` and `physlearn.metrics.spectrum`,
      averaged over the coordinates;
    * ``valid_time``: the valid prediction time at the threshold 0.4, resolved to four steps (the spacing of the stored
      states) and limited to the horizon up to which the true orbit is known;
    * ``lyapunov_times``: ``valid_time`` times the true exponent, for orbits that are chaotic in the truth.

    Each distance compares one stretch of time with the other stretch of the truth, averaged over both pairings. The distance
    of the truth from itself is the noise floor for orbits of this length, which a perfect model reaches. If the truth has a
    distance and the model has none (because it escaped, or never crossed the surface), the model gets the worst value: 1 for
    Hellinger distances and spectra, infinity for the others.

    Parameters
    ----------
    table
        One row per orbit, with the columns above.
    pooled
        Hellinger distances of model and truth for the pooled section points of all orbits that are chaotic in the truth and
        do not escape. The larger sample allows a finer grid; it is meaningful if these orbits share one chaotic sea, as
        orbits of one energy do.
    """

    table: pd.DataFrame
    pooled: tuple[float, float]

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """Summarize the comparison with one row per quantity.

        The rows are

        * fractions with Wilson intervals: ``class_agreement``, ``chaotic_fraction`` (among regular and chaotic orbits),
          ``undecided_fraction`` and ``escaped_fraction``;
        * ``exponent_of_chaotic``: the mean exponent over the orbits that are chaotic in each, with a Student interval;
        * medians over the orbits: ``hellinger``, ``hellinger_pooled``, ``nearest``, ``marginals`` and ``spectrum``, where
          the truth's value is its distance from itself, and ``valid_time`` and ``lyapunov_times``, which the truth lacks.

        Parameters
        ----------
        confidence
            Confidence level of the intervals, between 0 and 1; defaults to 0.95.

        Returns
        -------
        DataFrame
            The columns ``model``, ``low`` and ``high`` (the model's value and its confidence interval), ``truth``, and
            ``orbits`` (the number of orbits behind the model's value).

        Raises
        ------
        InputError
            If ``confidence`` does not lie between 0 and 1.

        References
        ----------
        Wilson, J. Am. Stat. Assoc. 22, 209 (1927).
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
    """Return the median of the known values, which is infinite if the middle value is."""
    known = np.sort(values.dropna().to_numpy(dtype=float))
    return float((known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2) if len(known) else nan
