"""Comparisons of several meta-seeds as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from physlearn.comparison.result import Comparison
from systems import InputError


def joined(parts: Sequence[Comparison]) -> Comparison:
    """One comparison of the meta-seeds of all parts, numbered in their order: the same as if they had been made together.

    Raises InputError for parts of different tasks, variants, or training.
    """
    if not parts:
        raise InputError("there is no comparison to join")
    first = parts[0]
    for part in parts[1:]:
        for what, its, asked in (
            ("task", part.task, first.task),
            ("variants", list(part.table["variant"].unique()), list(first.table["variant"].unique())),
            ("training", part.settings["training"], first.settings["training"]),
        ):
            if its != asked:
                raise InputError(f"comparisons can be joined that have the same {what}, not {asked} and {its}")
    tables, curves, before = [], [], 0
    variants: dict[str, Any] = {}
    for part in parts:
        meta_seeds = sorted(part.table["meta_seed"].unique())
        number = {meta_seed: before + k for k, meta_seed in enumerate(meta_seeds)}
        tables.append(part.table.assign(meta_seed=part.table["meta_seed"].map(number)))
        curves.append(part.curves.assign(meta_seed=part.curves["meta_seed"].map(number)))
        for variant in part.table["variant"].unique():
            for meta_seed, k in number.items():
                variants[f"{variant} ({k})"] = part.settings["variants"][f"{variant} ({meta_seed})"]
        before += len(meta_seeds)
    return replace(
        first,
        table=pd.concat(tables, ignore_index=True),
        curves=pd.concat(curves, ignore_index=True),
        settings={
            **first.settings,
            "variants": variants,
            "learned": [one for part in parts for one in part.settings["learned"]],
            "single": [one for part in parts for one in part.settings["single"]],
            "seeds": [part.settings["seed"] for part in parts],
        },
        seconds=sum(part.seconds for part in parts),
    )
