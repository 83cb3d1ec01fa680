"""Results of the universal types: on how many unseen systems they are better than each rival, in loss and in valid time."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import binomtest, wilcoxon
from scipy.stats import t as student

from physlearn.studies.learned_diversity.universal_study import USUAL

CONFIDENCE = 0.95
LEAST = 2 / 3  # share of the systems on which a default has to be better
PAIR, NAMED_PAIR = "pair", "named pair"
BEST = f"best of {', '.join(USUAL)}"


def wide(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a measure with a column for each variant, a row for each network of each system; the best usual one is added.

    Losses are logarithms, and those of networks that diverged are infinite.
    """
    values = np.log(table["loss"].where(~table["diverged"], np.inf)) if measure == "loss" else table[measure]
    columns = values.groupby([table["system"], table["replicate"], table["variant"]], sort=False).first().unstack("variant")
    means = columns.groupby("system", sort=False).mean()[list(USUAL)]
    best = means.idxmin(axis=1) if measure == "loss" else means.idxmax(axis=1)
    own = [columns.loc[(system, slice(None)), best[system]].to_numpy() for system in means.index]
    return columns.loc[list(means.index)].assign(**{BEST: np.concatenate(own)})


def difference(values: np.ndarray) -> tuple[float, float, float]:
    """Return the mean of paired differences with Student's interval.

    Two networks that both diverged count as equal.
    """
    known = np.nan_to_num(values, nan=0.0, posinf=np.log(1e10), neginf=-np.log(1e10))
    mean, runs = float(known.mean()), len(known)
    half = float(student.ppf((1 + CONFIDENCE) / 2, runs - 1) * known.std(ddof=1) / np.sqrt(runs))
    return mean, mean - half, mean + half


def claims(table: pd.DataFrame, pair: str = PAIR) -> pd.DataFrame:
    """Compare a pair with each rival, one row per rival.

    A system is *won* if the paired interval of its networks is entirely on the better side, and *lost* if it is entirely on
    the other. The share of systems with a better mean has an exact binomial interval, and the median of the differences of the
    systems is tested by Wilcoxon's signed ranks. The best of the usual functions is chosen by the scored networks, which
    favours it.

    Parameters
    ----------
    table : DataFrame
        Scores as `universal_study.scores` returns them.
    pair
        The pair: ``"pair"``, which was polished, or ``"named pair"``, which consists of two named functions.
    """
    rows = []
    for measure, sign in (("loss", 1.0), ("valid_time", -1.0)):
        columns = wide(table, measure)
        for rival in (*USUAL, BEST, "sine", "single", *({PAIR, NAMED_PAIR} - {pair})):
            gains = sign * (columns[pair] - columns[rival])
            each = np.array([difference(own.to_numpy()) for _, own in gains.groupby("system", sort=False)])
            better = int((each[:, 0] < 0).sum())
            share = binomtest(better, len(each)).proportion_ci(CONFIDENCE)
            rows.append({
                "measure": measure, "rival": rival, "systems": len(each), "won": int((each[:, 2] < 0).sum()),
                "lost": int((each[:, 1] > 0).sum()), "better": better, "low": share.low, "high": share.high,
                "median": sign * float(np.median(each[:, 0])), "p": float(wilcoxon(each[:, 0]).pvalue),
            })  # fmt: skip
    return pd.DataFrame(rows)


def universal(rows: pd.DataFrame) -> bool:
    """Return whether the pair is better than the best usual function on two thirds of the systems, by loss and valid time."""
    own = rows[rows["rival"] == BEST]
    return bool((own["won"] >= LEAST * own["systems"]).all())


def to_markdown(rows: pd.DataFrame, pair: str = PAIR) -> str:
    """Return the claims on a pair as two Markdown tables, for the loss and for the valid time."""
    lines = []
    for measure, named in (("loss", "log loss"), ("valid_time", "valid time")):
        lines += [f"| {named} of the {pair} against | won | lost | better on | share, 95 % | median difference | p |",
                  "|---|---|---|---|---|---|---|"]  # fmt: skip
        for _, row in rows[rows["measure"] == measure].iterrows():
            lines.append(
                f"| {row['rival']} | {row['won']} | {row['lost']} | {row['better']} of {row['systems']} "
                f"| {row['low']:.2f} to {row['high']:.2f} | {row['median']:+.2f} | {row['p']:.1g} |"
            )
        lines.append("")
    return "\n".join(lines)
