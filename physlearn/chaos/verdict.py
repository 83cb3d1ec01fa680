"""What a comparison of dynamics says, orbit by orbit and in sum."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from scipy.stats import t as student

from systems import InputError


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
