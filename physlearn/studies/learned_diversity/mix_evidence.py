"""What the study of the mix says: the claims that were chosen before it, and everything else beside them.

Four differences decide: those to either of its types alone, to the better of them, whichever it is in a run, and to the
best named activation. Their intervals are for all four at once (Bonferroni's correction: each is one of 98.75 %). The mix
*wins* on a task, as the paper asks, if it is better than either type and than the best named activation; it wins *strictly* if
it is better than the better type, too. All else is told with plain 95 % intervals, and p corrected over all variants by Holm's
method.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from physlearn.comparison.statistics import Scale, holm, mean_log, paired
from physlearn.comparison.variants import TRADITIONAL
from physlearn.studies.learned_diversity.evidence import HOLDS, Row, verdict
from physlearn.studies.learned_diversity.mix_study import NAMED
from physlearn.studies.learned_diversity.study import Study

TYPES = ("type 1", "type 2")
BETTER = "the better of its types"
DECIDING = 4
SHORT, SHORT_TUNED = "untuned", "tuned"  # the regime in which the mix trains as in the paper, and that of the named ones there


def deciding(found: Study) -> Iterator[Row]:
    """The rows that decide, of every regime: the mix against its types, the better of them, and the best named activation.

    Which ones the latter are, is known from the same networks that are scored, in their favour. In the short regime the named
    activation has its own tuned learning rate, though the mix has none.
    """
    for regime, result in found.results.items():
        table = result.table
        theirs = found.results.get(SHORT_TUNED, result).table if regime == SHORT else table
        best = best_named(theirs, found.learned[0].base)
        own = table[table["variant"].isin(["mix", *TYPES])]
        against = pd.concat([own, better_type(table), theirs[theirs["variant"] == best]])
        rows = paired(against, "loss", "mix", confidence=1 - 0.05 / DECIDING)
        for other, row in rows.iterrows():
            name = f"the best named activation, {other}" if other == best else str(other)
            yield _row(found, regime, "loss", f"the mix is better than {name}", row, -1)


def better_type(table: pd.DataFrame) -> pd.DataFrame:
    """Of each meta-seed the type with the lower mean log loss, under one name."""
    parts = []
    for _, run in table[table["variant"].isin(TYPES)].groupby("meta_seed"):
        best = mean_log(run).idxmin()
        parts.append(run[run["variant"] == best].assign(variant=BETTER))
    return pd.concat(parts)


def others(found: Study, measure: str = "loss") -> Iterator[Row]:
    """The mix against every other variant in every regime, by a measure, over the meta-seeds that both have."""
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


def against_the_mix(table: pd.DataFrame, measure: str, scale: Scale) -> pd.DataFrame:
    """As `paired` has it, though variants may lack meta-seeds that the mix has; p is corrected over all of them."""
    rows = []
    for _, own in table.groupby("variant", sort=False):
        if (own["variant"] != "mix").all():
            mix = table[(table["variant"] == "mix") & table["meta_seed"].isin(own["meta_seed"])]
            rows.append(paired(pd.concat([mix, own]), measure, "mix", scale=scale))
    found = pd.concat(rows)
    return found.assign(p_holm=holm(found["p"].to_numpy()))


def wins(rows: pd.DataFrame, *, strictly: bool) -> pd.DataFrame:
    """Whether all that decides holds, and strictly also against the better type: a row a task, a column a regime."""
    asked = rows if strictly else rows[~rows["claim"].str.endswith(BETTER)]
    held = (asked["verdict"] == HOLDS).groupby([asked["task"], asked["regime"]], sort=False).all()
    return held.unstack("regime")


def best_named(table: pd.DataFrame, base: str) -> str:
    """The named activation with the lowest mean log loss; polynomials, which know some answers, are no candidates."""
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
