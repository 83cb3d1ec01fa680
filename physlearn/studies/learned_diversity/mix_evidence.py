"""Results of the study of the mix: the claims that were chosen in advance, and all other comparisons.

Four differences decide: those to each of its two types, to the better type of each run, and to the best named activation.
Their intervals hold for all four at once (Bonferroni's correction: each has a confidence level of 98.75 %). The mix *wins* on
a task, as the paper claims, if it is better than each type and than the best named activation. It wins *strictly* if it is
also better than the better type. All other comparisons have plain 95 % intervals, and p-values corrected over all variants by
Holm's method.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

from physlearn.comparison.statistics import Scale, holm, mean_log, paired
from physlearn.comparison.variants import TRADITIONAL
from physlearn.studies.learned_diversity.evidence import HOLDS, Row, verdict
from physlearn.studies.learned_diversity.mix_study import NAMED
from physlearn.studies.learned_diversity.study import Study

TYPES = ("type 1", "type 2")
BETTER = "the better of its types"
DECIDING = 4
FREE = "a mix of free types"
SHORT, SHORT_TUNED = "untuned", "tuned"  # the regime of the paper, and the regime from which it takes the named activations


def deciding(found: Study) -> Iterator[Row]:
    """Yield the deciding rows of every regime: the mix against its types, the better type, and the best named activation.

    The better type and the best named activation are chosen on the scored networks, which biases the test in their favour. In
    the short regime, the named activation has a tuned learning rate, although the mix does not.
    """
    for regime, result in found.results.items():
        table = result.table
        theirs = found.results.get(SHORT_TUNED, result).table if regime == SHORT else table
        best = best_named(theirs, found.base)
        own = table[table["variant"].isin(["mix", *TYPES])]
        against = pd.concat([own, _better_type(table), theirs[theirs["variant"] == best]])
        rows = paired(against, "loss", "mix", confidence=1 - 0.05 / DECIDING)
        for other, row in rows.iterrows():
            name = f"the best named activation, {other}" if other == best else str(other)
            yield _row(found, regime, "loss", f"the mix is better than {name}", row, -1)


def decisions(studies: Iterable[Study]) -> pd.DataFrame:
    """Return the deciding rows, which have ``decides``, and those of the single type and of free types if there are any."""
    found = list(studies)
    decided = [{**row, "decides": True} for one in found for row in deciding(one)]
    alone = [{**row, "decides": False} for one in found for row in others(one) if row["claim"].endswith(("single", FREE))]
    return pd.DataFrame(decided + alone)


def _better_type(table: pd.DataFrame) -> pd.DataFrame:
    """Return the networks of the type with the lower mean log loss in each meta-seed, under one name."""
    parts = []
    for _, run in table[table["variant"].isin(TYPES)].groupby("meta_seed"):
        best = mean_log(run).idxmin()
        parts.append(run[run["variant"] == best].assign(variant=BETTER))
    return pd.concat(parts)


def others(found: Study, measure: str = "loss") -> Iterator[Row]:
    """Yield one row per regime and other variant: the mix against it by a measure, over the meta-seeds that both have."""
    scale: Scale = "linear" if measure.startswith(("accuracy", "valid_time")) else "log"
    for regime, result in found.results.items():
        if measure not in result.table:
            continue
        table = result.table[result.table.groupby("variant")[measure].transform(lambda values: values.notna().any())]
        if table.empty:
            continue
        rows = against_the_mix(table, measure, scale)
        for other, row in rows.iterrows():
            yield _row(found, regime, measure, f"the mix is better than {other}", row, 1 if scale == "linear" else -1)


def forecast_measures(found: Study) -> list[str]:
    """Return the measures of forecasts that a study has."""
    return [name for name in next(iter(found.results.values())).measures if name.startswith(("valid_time", "energy_error"))]


def against_the_mix(table: pd.DataFrame, measure: str, scale: Scale) -> pd.DataFrame:
    """Compare as `paired` does, but allow variants that lack meta-seeds of the mix.

    The p-values are corrected over all variants.
    """
    rows = []
    for _, own in table.groupby("variant", sort=False):
        if (own["variant"] != "mix").all():
            mix = table[(table["variant"] == "mix") & table["meta_seed"].isin(own["meta_seed"])]
            rows.append(paired(pd.concat([mix, own]), measure, "mix", scale=scale))
    found = pd.concat(rows)
    return found.assign(p_holm=holm(found["p"].to_numpy()))


def wins(rows: pd.DataFrame, *, strictly: bool) -> pd.DataFrame:
    """Return whether all deciding claims hold, one row per task and one column per regime.

    The claim against the better type counts only if ``strictly`` is True.
    """
    asked = rows if strictly else rows[~rows["claim"].str.endswith(BETTER)]
    held = (asked["verdict"] == HOLDS).groupby([asked["task"], asked["regime"]], sort=False).all()
    return held.unstack("regime")


def best_named(table: pd.DataFrame, base: str) -> str:
    """Return the named activation with the lowest mean log loss.

    Polynomials are not candidates, because they match the exact solution of some tasks.
    """
    candidates = [base, *TRADITIONAL, *NAMED]
    return str(mean_log(table[table["variant"].isin(candidates)]).idxmin())


def _row(found: Study, regime: str, measure: str, claim: str, row: pd.Series, sign: int) -> Row:
    low, high = row["difference_low"], row["difference_high"]
    return {
        "task": found.task.name,
        "regime": regime,
        "measure": measure,
        "claim": claim,
        "where": f"{found.task.name}, {regime}",
        "difference": row["difference"],
        "low": low,
        "high": high,
        "p": row["p_holm"],
        "wins": row["wins"],
        "meta_seeds": row["meta_seeds"],
        "pairs": row["pairs"],
        "verdict": verdict(low, high, sign),
    }
