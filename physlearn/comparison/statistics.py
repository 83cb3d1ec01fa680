r"""What a comparison of activation functions says, and how sure it is.

Everything here takes a tidy table with one row a replicate and variant. Its columns are ``meta_seed`` (which run of
meta-learning the curves come from), ``replicate`` (the same initial weights and batches for all variants of a meta-seed),
``variant``, ``diverged`` (True or False) and the measures, of which one is compared:

* on the scale "log", what is best small and spans decades: losses, energy errors. Differences are those of the mean logarithm.
* on the scale "linear", what is best large: valid prediction times, accuracies.

A row has diverged where it says so or where its measure is not finite. It has no value that could enter a mean, but a rank:
worse than any other. Medians and tests count it so, means leave it out, and a column tells how many there were.

Intervals are bootstrapped. Two trainings on the curves of one meta-seed are alike, so where there are several, meta-seeds are
drawn first and replicates within them: the interval is for a meta-seed that was not run. The bootstrap's percentiles are moved
outward to what Student's t would ask of so few units, which is what keeps the interval honest with a handful of meta-seeds.
Where these differ far more than their replicates do, no bootstrap of k of them covers the truth more often than
:math:`1 - 2^{1-k}`: 75 % of the time for three, 97 % for six.

Source: Davison and Hinkley, Bootstrap Methods and their Application, section 3.8 (1997), for the two levels; Hesterberg,
Am. Stat. 69, 371 (2015), for the expanded percentiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy.stats import norm, wilcoxon
from scipy.stats import t as student

from systems import InputError

Scale = Literal["log", "linear"]
KEYS = ["meta_seed", "replicate", "variant"]


def summarize(
    table: pd.DataFrame,
    measure: str,
    *,
    scale: Scale = "log",
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """How good each variant is: a row a variant, in order of first appearance, with bootstrap intervals.

    table: as described in `physlearn.comparison.statistics`. Gives the columns ``n``, ``meta_seeds`` and ``diverged``, which
    count; ``median``, ``median_low``, ``median_high``; likewise ``mean``; and on the log scale ``geometric_mean``. The median
    counts what diverged as worse than the rest (infinite where most did), means are over the rest. An interval is NaN where
    one replicate, or one meta-seed of several, is all that is left.
    Raises InputError for a table or a measure that cannot be summarised.

    >>> table = pd.DataFrame({"meta_seed": 0, "replicate": range(4), "variant": "sine", "diverged": False})
    >>> summary = summarize(table.assign(loss=[1.0, 10.0, 100.0, np.inf]), "loss")
    >>> print(summary.loc["sine", ["n", "diverged", "median", "mean", "geometric_mean"]].to_string())
    n                  4.0
    diverged           1.0
    median            55.0
    mean              37.0
    geometric_mean    10.0
    """
    _check_settings(confidence, resamples)
    wide = _wide(table, measure, scale)
    statistics = {"median": _median, "mean": _mean} | ({"geometric_mean": _geometric_mean} if scale == "log" else {})
    rows = []
    for variant in wide:
        values = wide[variant].dropna()
        finite = values[np.isfinite(values)]
        meta_seeds = _meta_seeds(values)
        row: dict[str, Any] = {"variant": variant, "n": len(values), "meta_seeds": meta_seeds}
        row["diverged"] = len(values) - len(finite)
        drawn = _resampled(values, resamples, seed)
        for name, statistic in statistics.items():
            counted = values if name == "median" else finite
            units = _meta_seeds(counted) if meta_seeds > 1 else len(counted)
            row[name] = statistic(values.to_numpy()[None])[0]
            row[f"{name}_low"], row[f"{name}_high"] = _interval(statistic(drawn), units, confidence)
        rows.append(row)
    return pd.DataFrame(rows).set_index("variant")


def paired(
    table: pd.DataFrame,
    measure: str,
    reference: str = "mix",
    *,
    scale: Scale = "log",
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    r"""The reference against each other variant, replicate by replicate: a row a variant, in order of first appearance.

    table: as described in `physlearn.comparison.statistics`; every variant must have the replicates of the reference. Gives

    * ``level``: "meta-seeds" where there are several, otherwise "replicates": what p and the interval speak for;
      ``meta_seeds`` and ``pairs``, their numbers; ``excluded``: pairs of which a member diverged;
    * ``difference``, ``difference_low``, ``difference_high``: the mean of reference minus other over the pairs left, of the
      logarithm on the log scale: negative where the reference's loss is lower, positive where its valid time is longer;
    * ``wins``: the fraction of all pairs in which the reference is better, a member that diverged being worse than any other;
    * ``p``: Wilcoxon's signed-rank test, two-sided. Over all pairs of one meta-seed, with the same ranks; of several, over
      their mean differences (a meta-seed with no pair left is a rank beyond all others, against the variant that diverged
      more). Of k meta-seeds :math:`p \ge 2^{1-k}`: fewer than six cannot reach 0.05;
    * ``p_holm``: p corrected for the number of rows.

    Raises InputError for a table that is not paired, or a measure or reference that it does not have.
    Source: Wilcoxon, Biometrics 1, 80 (1945), without the pairs that are equal.
    """
    _check_settings(confidence, resamples)
    wide = _wide(table, measure, scale)
    _check_paired(wide, reference)
    scores, sign = (wide.transform(np.log), 1) if scale == "log" else (wide, -1)
    meta_seeds = _meta_seeds(wide)
    several = meta_seeds > 1
    rows = []
    for variant in scores.columns.drop(reference):
        differences = scores[reference] - scores[variant]  # infinite where one diverged, NaN where both did
        ranked = differences.fillna(0)
        left = differences[np.isfinite(differences)]
        row: dict[str, Any] = {"variant": variant, "level": "meta-seeds" if several else "replicates"}
        row |= {"meta_seeds": meta_seeds, "pairs": len(ranked), "excluded": len(ranked) - len(left)}
        row["difference"] = left.mean()
        drawn = _mean(_resampled(differences.fillna(np.inf), resamples, seed))
        units = _meta_seeds(left) if several else len(left)
        row["difference_low"], row["difference_high"] = _interval(drawn, units, confidence)
        row["wins"] = (sign * ranked < 0).mean()
        row["p"] = _signed_rank((_by_meta_seed(left, ranked) if several else ranked).to_numpy())
        rows.append(row)
    result = pd.DataFrame(rows).set_index("variant")
    return result.assign(p_holm=holm(result["p"].to_numpy()))


def mean_log(table: pd.DataFrame, by: Sequence[str] = ("variant",), measure: str = "loss") -> pd.Series:
    """The mean logarithm of a measure in each group of rows, in order of appearance; infinite where a network diverged."""
    values = np.log(table[measure].where(~table["diverged"] & np.isfinite(table[measure]), np.inf))
    return values.groupby([table[name] for name in by], sort=False).mean()


def holm(p: ArrayLike) -> Float[np.ndarray, " m"]:
    """The p-values of m tests, corrected so that the chance of any false alarm among them stays below the level.

    The smallest is multiplied by m, the next by m - 1 and so on, none falling below the one before or rising above 1. NaN is
    no test: it stays and does not count. p: ``(m,)``. Raises InputError for values outside [0, 1].
    Source: Holm, Scand. J. Stat. 6, 65 (1979).

    >>> print(holm([0.01, 0.04, 0.03, np.nan]))
    [0.03 0.06 0.06  nan]
    """
    corrected = np.array(p, dtype=float)
    tests = np.flatnonzero(~np.isnan(corrected))
    if ((corrected[tests] < 0) | (corrected[tests] > 1)).any():
        raise InputError(f"p-values lie within [0, 1], unlike those of {corrected}")
    ascending = tests[np.argsort(corrected[tests])]
    factors = np.arange(len(tests), 0, -1)
    corrected[ascending] = np.maximum.accumulate(corrected[ascending] * factors).clip(max=1)
    return corrected


def _by_meta_seed(left: pd.Series, ranked: pd.Series) -> pd.Series:
    """The mean difference of each meta-seed; infinite, against the variant that diverged more, where no pair is left."""
    balance = ranked.transform(np.sign).groupby(level="meta_seed").sum()
    return left.groupby(level="meta_seed").mean().reindex(balance.index).fillna(balance * np.inf).fillna(0)


def _signed_rank(differences: Float[np.ndarray, " n"]) -> float:
    unequal = differences[differences != 0]
    return float(wilcoxon(unequal).pvalue) if len(unequal) else 1.0


def _wide(table: pd.DataFrame, measure: str, scale: Scale) -> pd.DataFrame:
    """The measure by meta-seed and replicate (rows, sorted) and variant: the worst infinity if it diverged, NaN if missing."""
    if scale not in get_args(Scale):
        raise InputError(f"scale must be 'log' or 'linear', not {scale!r}")
    if missing := [column for column in (*KEYS, "diverged") if column not in table]:
        raise InputError(f"the table lacks the column {missing[0]!r}: it needs {', '.join(KEYS)}, diverged and the measure")
    measures = [c for c in table if c not in KEYS and is_numeric_dtype(table[c]) and not is_bool_dtype(table[c])]
    if measure not in measures:
        raise InputError(f"the table has no measure {measure!r}: there are {', '.join(map(str, measures)) or 'none'}")
    if table.empty or table[KEYS].isna().to_numpy().any():
        raise InputError(f"a table needs rows, and in each of them {', '.join(KEYS)}")
    if not table["diverged"].isin([True, False]).all():
        raise InputError("the column 'diverged' must hold True or False in every row")
    if (twice := table.duplicated(KEYS)).any():
        key = table.loc[twice, KEYS].iloc[0]
        raise InputError(f"replicate {key.replicate} of meta-seed {key.meta_seed} appears twice for {key.variant!r}")
    values = table[measure].to_numpy(dtype=float, na_value=np.nan)
    diverged = table["diverged"].to_numpy(dtype=bool) | ~np.isfinite(values)
    if scale == "log" and (values[~diverged] <= 0).any():
        raise InputError(f"{measure} is not positive everywhere: compare it on the scale 'linear', if more of it is better")
    worst = np.inf if scale == "log" else -np.inf
    wide = table[KEYS].assign(value=np.where(diverged, worst, values)).pivot(index=KEYS[:2], columns="variant", values="value")
    return wide[table["variant"].unique()]


def _check_settings(confidence: float, resamples: int) -> None:
    if not (0 < confidence < 1 and resamples > 0):
        raise InputError(f"confidence={confidence} must lie between 0 and 1, and resamples={resamples} be positive")


def _check_paired(wide: pd.DataFrame, reference: str) -> None:
    if reference not in wide:
        raise InputError(f"there is no variant {reference!r} to compare with: there are {', '.join(map(str, wide))}")
    if len(wide.columns) < 2:
        raise InputError(f"there is no other variant to compare {reference!r} with")
    for variant in wide:
        if lacks := int(wide[variant].isna().sum()):
            raise InputError(
                f"the table is not paired: {variant!r} lacks {lacks} of its {len(wide)} replicates; "
                "give all variants the same meta-seeds and replicates"
            )


def _meta_seeds(values: pd.Series | pd.DataFrame) -> int:
    return values.index.get_level_values("meta_seed").nunique()


def _resampled(values: pd.Series, resamples: int, seed: int) -> Float[np.ndarray, "resamples n"]:
    """Draws with replacement of meta-seeds, then of as many replicates as each has; NaN where some have fewer than others."""
    runs = [run.to_numpy() for _, run in values.groupby(level="meta_seed")]
    sizes = np.array([len(run) for run in runs])
    cells = np.full((len(runs), sizes.max()), np.nan)
    for cell, run in zip(cells, runs, strict=True):
        cell[: len(run)] = run
    generator = np.random.default_rng(seed)
    chosen = generator.integers(len(runs), size=(resamples, len(runs), 1))
    drawn = cells[chosen, generator.integers(sizes[chosen], size=(resamples, *cells.shape))]
    drawn[np.arange(cells.shape[1]) >= sizes[chosen]] = np.nan
    return drawn.reshape(resamples, -1)


def _median(values: Float[np.ndarray, "r n"]) -> Float[np.ndarray, " r"]:
    ascending = np.sort(values, axis=1)  # NaN last
    count = (~np.isnan(values)).sum(axis=1)
    row = np.arange(len(values))
    return (ascending[row, (count - 1) // 2] + ascending[row, count // 2]) / 2


def _mean(values: Float[np.ndarray, "r n"]) -> Float[np.ndarray, " r"]:
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", over="ignore"):  # NaN where nothing is finite
        return values.sum(axis=1, where=finite) / finite.sum(axis=1)


def _geometric_mean(values: Float[np.ndarray, "r n"]) -> Float[np.ndarray, " r"]:
    geometric: Float[np.ndarray, " r"] = np.exp(_mean(np.log(values)))
    return geometric


def _interval(drawn: Float[np.ndarray, " resamples"], units: int, confidence: float) -> tuple[float, float]:
    """Percentiles of a statistic's resamples, expanded for the number of independent units; NaN for a single one."""
    known = drawn[~np.isnan(drawn)]
    if units < 2 or not len(known):
        return np.nan, np.nan
    tail = norm.cdf(-np.sqrt(units / (units - 1)) * student.ppf((1 + confidence) / 2, units - 1))
    low, high = np.quantile(known, [tail, 1 - tail], method="inverted_cdf")  # does not interpolate between infinities
    return float(low), float(high)
