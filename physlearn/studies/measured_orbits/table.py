"""The table: its cells, their medians over seeds, and the table as text."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from physlearn.forecasting.files import writable
from physlearn.jobs import sweep
from physlearn.studies.measured_orbits.cells import COLUMNS, EXACT, LOSSES, applies, available, cell
from physlearn.studies.measured_orbits.orbits import PROTOCOLS
from systems import InputError
from systems.atomic import atomically
from systems.extras import DISTRIBUTION, MissingExtraError

SPACINGS = (6, 20, 2, 60)
NOISES = (0.0, 0.001, 0.01, 0.1)
DEFAULT = "shooting"


def units(seeds: int, columns: Sequence[str] = COLUMNS, *, quick: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the settings of each cell, those of one seed before those of the next.

    Parameters
    ----------
    seeds
        Number of seeds.
    columns
        What to train; see `cell`.
    quick
        Whether to yield only the pendulum, with two spacings and two noises.
    """
    names: Sequence[str] = ("pendulum",) if quick else tuple(PROTOCOLS)
    spacings: Sequence[int] = (20, 6) if quick else SPACINGS
    noises: Sequence[float] = (0.0, 0.01) if quick else NOISES
    for seed, per_turn, name in itertools.product(range(seeds), spacings, names):
        settings = {"system": name, "per_turn": per_turn, "seed": seed}
        for column, noise in itertools.product(columns, noises):
            if applies(column, name) and (column != EXACT or noise == noises[0]):
                yield settings | {"noise": noise, "loss": column}


def run(
    out: Path, seeds: int = 10, columns: Sequence[str] | None = None, *, quick: bool = False, progress: bool = True
) -> pd.DataFrame:
    """Compute the table, one seed after the other; a run that was stopped resumes.

    Parameters
    ----------
    out
        Folder, which receives one file per cell in ``cells``, and ``measured.csv`` and ``measured.md`` after each seed.
    seeds
        Number of seeds.
    columns
        What to train; see `cell`. By default, everything that is installed.
    quick
        Whether to compute a few cells only.
    progress
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        One row per cell and seed.

    Raises
    ------
    InputError
        For an unknown column.
    MissingExtraError
        For a column whose package is not installed.
    """
    columns = [one for one in COLUMNS if available(one)] if columns is None else columns
    for one in columns:
        if one not in COLUMNS:
            raise InputError(f"there is no column {one!r}: choose among {', '.join(COLUMNS)}")
        if not available(one):
            raise MissingExtraError(f"the column {one} needs the package {one}: run pip install '{DISTRIBUTION}[bench]'")
    for done in range(1, seeds + 1):
        table = sweep(cell, list(units(done, columns, quick=quick)), writable(out) / "cells", progress=progress)
        with atomically(out / "measured.csv") as temporary:
            table.to_csv(temporary, index=False)
        with atomically(out / "measured.md") as temporary:
            temporary.write_text(markdown(table) + "\n")
    return table


def summary(table: pd.DataFrame, value: str = "valid_time", *, resamples: int = 1000) -> pd.DataFrame:
    """Return medians over the seeds, with intervals.

    Parameters
    ----------
    table
        One row per cell and seed.
    value
        The column to summarise.
    resamples
        Number of bootstrap samples of the seeds.

    Returns
    -------
    DataFrame
        One row per system, spacing, noise and loss, with ``median``, ``low`` and ``high`` (a 95 % interval of the median by
        the percentile bootstrap) and ``seeds``.
    """
    random = np.random.default_rng(0)
    rows = []
    for key, group in table.groupby(["system", "per_turn", "noise", "loss"], sort=False):
        values = group[value].to_numpy(float)
        drawn = np.median(values[random.integers(len(values), size=(resamples, len(values)))], axis=1)
        low, high = np.quantile(drawn, (0.025, 0.975), method="nearest")
        rows.append((*key, float(np.median(values)), low, high, len(values)))
    return pd.DataFrame(rows, columns=["system", "per_turn", "noise", "loss", "median", "low", "high", "seeds"])


def markdown(table: pd.DataFrame, value: str = "valid_time") -> str:
    """Return the summary as a table in Markdown, with one row per system, spacing and noise, and the number of its seeds."""
    found = summary(table.dropna(subset=[value]), value)
    found["told"] = [f"{row['median']:.3g} ({row['low']:.3g}-{row['high']:.3g})" for _, row in found.iterrows()]
    exact = found[found["loss"] == EXACT].set_index(["system", "per_turn"])["told"]
    columns = [one for one in COLUMNS if (found["loss"] == one).any()]
    others = [one for one in columns if one != EXACT]
    lines = [f"| system | per turn | noise | seeds | {' | '.join(columns)} |", "|---" * (4 + len(columns)) + "|"]
    for (system, per_turn, noise), rows in found[found["loss"] != EXACT].groupby(["system", "per_turn", "noise"]):
        told = rows.set_index("loss")["told"].reindex(others, fill_value="").tolist()
        first = [exact.get((system, per_turn), "")] * (EXACT in columns)
        seeds = "-".join(str(count) for count in sorted({rows["seeds"].min(), rows["seeds"].max()}))
        lines.append(f"| {system} | {per_turn:g} | {noise:.1%} | {seeds} | {' | '.join([*first, *told])} |")
    return "\n".join(lines)


def shortfall(table: pd.DataFrame, candidates: Sequence[str] = LOSSES) -> pd.Series:
    """Return, for each system, spacing and noise, the median valid time of the default relative to that of the best loss.

    Parameters
    ----------
    table
        One row per cell and seed.
    candidates
        The losses to compare with.
    """
    medians = summary(table).query("loss in @candidates").pivot_table("median", ["system", "per_turn", "noise"], "loss")
    return medians[DEFAULT] / medians.max(axis=1)
