"""Summary statistics and paired tests for comparisons of activation functions.

All functions take a tidy table with one row per replicate and variant. Its columns are ``meta_seed`` (the run of meta-learning
that gave the activations), ``replicate`` (the same initial weights and batches for all variants of a meta-seed), ``variant``,
``diverged`` (True or False) and the measures. One measure is compared at a time:

* On the scale "log": measures that are best small and span decades, such as losses and energy errors. Differences are those of
  the mean logarithm.
* On the scale "linear": measures that are best large, such as valid prediction times and accuracies.

A row counts as diverged if it says so, or if its measure is not finite. It has no value that could enter a mean, but it has a
rank: worse than any other. Medians and tests include it with this rank, means exclude it, and a column counts the diverged
rows.

Confidence intervals are bootstrapped. Networks that share the activations of one meta-seed are not independent. If there are
several meta-seeds, the bootstrap therefore resamples meta-seeds first and replicates within them, and the interval is one for
a meta-seed that was not run. The percentiles are expanded to match Student's t distribution for so few units, which keeps the
coverage close to nominal with a handful of meta-seeds. If meta-seeds differ far more than their replicates do, however, no
bootstrap of :math:`k` meta-seeds covers the truth more often than :math:`1 - 2^{1-k}`: 75 % of the time for three meta-seeds,
and 97 % for six.

References
----------
* A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application", section 3.8 (1997), for the two levels.
* T. Hesterberg, Am. Stat. 69, 371 (2015), for the expanded percentiles.
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
    """Summarize a measure with bootstrap intervals, one row per variant in order of first appearance.

    The median counts diverged rows as worse than all others, so it is infinite if most of them diverged. Means are over the
    rows that did not diverge. An interval is NaN if only one replicate, or only one of several meta-seeds, is left.

    Parameters
    ----------
    table : DataFrame
        A table as described in `physlearn.comparison.statistics`.
    measure : str
        The column to summarize.
    scale : {'log', 'linear'}
        The scale of the measure.
    confidence : float, default 0.95
        Confidence level of the intervals.
    resamples : int, default 2000
        Number of bootstrap resamples.
    seed : int, default 0
        Random seed of the bootstrap.

    Returns
    -------
    DataFrame
        The counts ``n``, ``meta_seeds`` and ``diverged``; ``median``, ``median_low``, ``median_high``; the same for ``mean``;
        and on the log scale for ``geometric_mean``.

    Raises
    ------
    InputError
        If the table or the measure cannot be summarized.

    Examples
    --------
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
    r"""Compare the reference with each other variant, replicate by replicate.

    Parameters
    ----------
    table : DataFrame
        A table as described in `physlearn.comparison.statistics`. Every variant must have the replicates of the reference.
    measure : str
        The column to compare.
    reference : str, default 'mix'
        The variant that all others are compared with.
    scale, confidence, resamples, seed
        As for `summarize`.

    Returns
    -------
    DataFrame
        One row per other variant, in order of first appearance:

        * ``level``: the unit of the test and the interval, which is "meta-seeds" if there are several, and otherwise
          "replicates";
        * ``meta_seeds``, ``pairs`` and ``excluded``: the numbers of meta-seeds, of pairs, and of pairs with a diverged member;
        * ``difference``, ``difference_low`` and ``difference_high``: the mean of reference minus other over the remaining
          pairs, of the logarithm on the log scale. It is negative if the reference has the lower loss, and positive if it has
          the longer valid time;
        * ``wins``: the fraction of all pairs in which the reference is better, where a diverged member is worse than any
          other;
        * ``p``: the p-value of Wilcoxon's signed-rank test, two-sided, without pairs that are equal. With one meta-seed,
          it is over all pairs, with the same ranks. With several, it is over their mean differences; a meta-seed with no
          remaining pair ranks beyond all others, against the variant that diverged more often. With k meta-seeds :math:`p \ge
          2^{1-k}`, so fewer than six cannot reach 0.05;
        * ``p_holm``: p, corrected for the number of rows.

    Raises
    ------
    InputError
        If the table is not paired, or has no such measure or reference.

    References
    ----------
    F. Wilcoxon, Biometrics 1, 80 (1945).
    """
    _check_settings(confidence, resamples)
    wide = _wide(table, measure, scale)
    _check_paired(wide, reference)
    scores, sign = (wide.transform(np.log), 1) if scale == "log" else (wide, -1)
    meta_seeds = _meta_seeds(wide)
    several = meta_seeds > 1
    rows = []
    for variant in scores.columns.drop(reference):
        differences = scores[reference] - scores[variant]  # infinite if one diverged, NaN if both did
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
    """Return the mean logarithm of a measure in each group of rows, in order of appearance; infinite if a network diverged."""
    values = np.log(table[measure].where(~table["diverged"] & np.isfinite(table[measure]), np.inf))
    return values.groupby([table[name] for name in by], sort=False).mean()


def holm(p: ArrayLike) -> Float[np.ndarray, " m"]:
    """Correct the p-values of m tests by Holm's method.

    The chance of any false positive among the tests then stays below the significance level. The smallest p-value is
    multiplied by m, the next by m - 1, and so on. No corrected value falls below the one before it or exceeds 1. NaN means
    that there is no test: it stays NaN and does not count.

    Parameters
    ----------
    p : array_like, shape (m,)
        The p-values.

    Returns
    -------
    ndarray, shape (m,)
        The corrected p-values.

    Raises
    ------
    InputError
        If a value lies outside [0, 1].

    References
    ----------
    S. Holm, Scand. J. Stat. 6, 65 (1979).

    Examples
    --------
    >>> print(holm([0.01, 0.04, 0.03, np.nan]))
    [0.03 0.06 0.06  nan]
    """
    corrected = np.array(p, dtype=float)
    tests = np.flatnonzero(~np.isnan(corrected))
    if ((corrected[tests] < 0) | (corrected[tests] > 1)).any():
        raise InputError(f"p-values must lie within [0, 1], not {corrected}")
    ascending = tests[np.argsort(corrected[tests])]
    factors = np.arange(len(tests), 0, -1)
    corrected[ascending] = np.maximum.accumulate(corrected[ascending] * factors).clip(max=1)
    return corrected


def _by_meta_seed(left: pd.Series, ranked: pd.Series) -> pd.Series:
    """Return the mean difference of each meta-seed.

    It is infinite, against the variant that diverged more often, if no pair is left.
    """
    balance = ranked.transform(np.sign).groupby(level="meta_seed").sum()
    return left.groupby(level="meta_seed").mean().reindex(balance.index).fillna(balance * np.inf).fillna(0)


def _signed_rank(differences: Float[np.ndarray, " n"]) -> float:
    unequal = differences[differences != 0]
    return float(wilcoxon(unequal).pvalue) if len(unequal) else 1.0


def _wide(table: pd.DataFrame, measure: str, scale: Scale) -> pd.DataFrame:
    """Return the measure by meta-seed and replicate (rows, sorted) and variant (columns).

    A diverged entry is the worst infinity, and a missing one is NaN.
    """
    if scale not in get_args(Scale):
        raise InputError(f"scale must be 'log' or 'linear', not {scale!r}")
    if missing := [column for column in (*KEYS, "diverged") if column not in table]:
        raise InputError(f"the table lacks the column {missing[0]!r}, but needs {', '.join(KEYS)}, diverged and the measure")
    measures = [c for c in table if c not in KEYS and is_numeric_dtype(table[c]) and not is_bool_dtype(table[c])]
    if measure not in measures:
        raise InputError(f"the table has no measure {measure!r}; there are {', '.join(map(str, measures)) or 'none'}")
    if table.empty or table[KEYS].isna().to_numpy().any():
        raise InputError(f"the table needs rows, and a value of {', '.join(KEYS)} in each of them")
    if not table["diverged"].isin([True, False]).all():
        raise InputError("the column 'diverged' must hold True or False in every row")
    if (twice := table.duplicated(KEYS)).any():
        key = table.loc[twice, KEYS].iloc[0]
        raise InputError(
            f"replicate {key.replicate} of meta-seed {key.meta_seed} appears twice for {key.variant!r}; remove one of the rows"
        )
    values = table[measure].to_numpy(dtype=float, na_value=np.nan)
    diverged = table["diverged"].to_numpy(dtype=bool) | ~np.isfinite(values)
    if scale == "log" and (values[~diverged] <= 0).any():
        raise InputError(
            f"{measure} is not positive everywhere: if larger values are better, compare it on the scale 'linear'"
        )
    worst = np.inf if scale == "log" else -np.inf
    wide = table[KEYS].assign(value=np.where(diverged, worst, values)).pivot(index=KEYS[:2], columns="variant", values="value")
    return wide[table["variant"].unique()]


def _check_settings(confidence: float, resamples: int) -> None:
    if not (0 < confidence < 1 and resamples > 0):
        raise InputError(f"confidence={confidence} must lie between 0 and 1, and resamples={resamples} must be positive")


def _check_paired(wide: pd.DataFrame, reference: str) -> None:
    if reference not in wide:
        raise InputError(f"there is no variant {reference!r} to compare with; there are {', '.join(map(str, wide))}")
    if len(wide.columns) < 2:
        raise InputError(f"there is no other variant to compare {reference!r} with: the table needs at least two")
    for variant in wide:
        if lacks := int(wide[variant].isna().sum()):
            raise InputError(
                f"the table is not paired: {variant!r} lacks {lacks} of its {len(wide)} replicates; "
                "give all variants the same meta-seeds and replicates"
            )


def _meta_seeds(values: pd.Series | pd.DataFrame) -> int:
    return values.index.get_level_values("meta_seed").nunique()


def _resampled(values: pd.Series, resamples: int, seed: int) -> Float[np.ndarray, "resamples n"]:
    """Draw meta-seeds with replacement, then as many replicates as each of them has; NaN pads those with fewer."""
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
    with np.errstate(invalid="ignore", over="ignore"):  # NaN if nothing is finite
        return values.sum(axis=1, where=finite) / finite.sum(axis=1)


def _geometric_mean(values: Float[np.ndarray, "r n"]) -> Float[np.ndarray, " r"]:
    geometric: Float[np.ndarray, " r"] = np.exp(_mean(np.log(values)))
    return geometric


def _interval(drawn: Float[np.ndarray, " resamples"], units: int, confidence: float) -> tuple[float, float]:
    """Return percentiles of resamples, expanded for the number of independent units, or NaN for a single unit."""
    known = drawn[~np.isnan(drawn)]
    if units < 2 or not len(known):
        return np.nan, np.nan
    tail = norm.cdf(-np.sqrt(units / (units - 1)) * student.ppf((1 + confidence) / 2, units - 1))
    low, high = np.quantile(known, [tail, 1 - tail], method="inverted_cdf")  # does not interpolate between infinities
    return float(low), float(high)
