"""Results of the map: two learned types against the best rival of each kind, with intervals over runs.

A run has its own data, its own searches and its own networks, so that runs are independent; networks of one run are not. The
intervals are Student's, for the mean over runs of the difference of the mean log loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from physlearn.studies.learned_diversity.map_study import PAIR, SINGLE, TWO_KINDS

FACTOR = 3.0  # by how much the loss must be lower to count as decisive


def mean_logs(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean log loss of the networks that did not diverge, one row per run and one column per variant."""
    sound = table[~table["diverged"] & np.isfinite(table["loss"]) & (table["loss"] > 0)]
    return np.log(sound["loss"]).groupby([sound["meta_seed"], sound["variant"]]).mean().unstack("variant")


def interval(differences: ArrayLike, confidence: float = 0.95) -> NDArray[np.float64]:
    """Return the lower and upper ends of Student's intervals for means over the last axis; infinite for a single run."""
    values = np.asarray(differences, float)
    runs, mean = values.shape[-1], values.mean(axis=-1)
    if runs < 2:
        return np.stack([mean - math.inf, mean + math.inf])
    half = student.ppf((1 + confidence) / 2, runs - 1) * values.std(axis=-1, ddof=1) / math.sqrt(runs)
    return np.stack([mean - half, mean + half])


def coverage(
    draw: Callable[[np.random.Generator, tuple[int, int]], Float[np.ndarray, "trials runs"]],
    mean: float,
    runs: int = 8,
    confidence: float = 0.95,
    trials: int = 20_000,
    seed: int = 0,
) -> float:
    """Return how often the interval covers the true mean of a distribution from which runs are drawn.

    Parameters
    ----------
    draw : callable
        Takes a generator and a shape, and returns independent differences.
    mean
        Their true mean.
    runs, confidence, trials, seed
        Number of runs of a cell, confidence level, number of simulated cells, and random seed.
    """
    low, high = interval(draw(np.random.default_rng(seed), (trials, runs)), confidence)
    return float(((low <= mean) & (mean <= high)).mean())


def claims(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Compare two learned types with the best rivals of every cell, one row per cell.

    The rivals are the best with one kind of neuron, the best named pair, and the single function that was learned with the
    same effort. The best one is chosen by the scored networks, which favours the rivals.

    Parameters
    ----------
    table : DataFrame
        Scores as `map_study.scores` returns them.
    confidence
        Confidence level of all intervals together: that of each is corrected for the number of cells (Bonferroni).
    """
    groups = [own for _, own in table.groupby(["cell", "width"], sort=False)]
    level = 1 - (1 - confidence) / len(groups)
    return pd.DataFrame([_claim(own, level) for own in groups])


def _claim(table: pd.DataFrame, level: float) -> dict[str, object]:
    means = mean_logs(table)
    overall = means.mean()
    kinds = overall.drop([PAIR, *TWO_KINDS], errors="ignore")
    best = str(kinds.idxmin())
    row: dict[str, object] = {name: table[name].iloc[0] for name in ("cell", "width")}
    row |= {"runs": len(means), "pair": float(overall[PAIR])}
    rivals = {"one kind": best, "learned single": SINGLE, "named pair": "named pair"}
    for name, rival in rivals.items():
        differences = (means[PAIR] - means[rival]).dropna()
        low, high = interval(differences, level).tolist()
        row |= {name: rival, f"{name}, difference": differences.mean(), f"{name}, low": low, f"{name}, high": high}
    found = table.loc[table["variant"] == PAIR].groupby("meta_seed")["found"].first()
    row["found"] = ", ".join(f"{name} ({count})" for name, count in found.map(plain).value_counts().items())
    row["decisive"] = _decisive(row)
    return row


def _decisive(row: dict[str, object]) -> bool:
    """Return whether the pair is three times better than any one kind, and not significantly worse than the named pair."""
    difference, high = row["one kind, difference"], row["one kind, high"]
    assert isinstance(difference, float)
    assert isinstance(high, float)
    return difference < -math.log(FACTOR) and high < 0 and float(row["named pair, low"]) <= 0  # type: ignore[arg-type]


def plain(name: str) -> str:
    """Return the name of a pair without its polishing, and with one word for all random functions."""
    parts = name.split(",")[0].split("+")
    return "+".join(sorted("random" if part.startswith("random") else part for part in parts))


def to_markdown(rows: pd.DataFrame) -> str:
    """Return the claims as a Markdown table."""
    return "\n".join(_lines(rows)) + "\n"


def _lines(rows: pd.DataFrame) -> Iterator[str]:
    names = ["system", "width", "runs", "found", "against the best kind", "which is", "against one learned type",
             "against the named pair", ""]  # fmt: skip
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for _, row in rows.iterrows():
        differences = [
            f"{row[f'{name}, difference']:+.1f} ({row[f'{name}, low']:+.1f} to {row[f'{name}, high']:+.1f})"
            for name in ("one kind", "learned single", "named pair")
        ]
        cells = [row["cell"], row["width"], row["runs"], row["found"], differences[0], row["one kind"], *differences[1:]]
        yield "| " + " | ".join([*map(str, cells), "**two kinds**" if row["decisive"] else ""]) + " |"
