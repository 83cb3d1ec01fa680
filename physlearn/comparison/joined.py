"""Comparisons of several meta-seeds, or of several lots of variants, as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from physlearn.comparison.result import Comparison
from systems import InputError

ALIKE = ("task", "training", "replicates", "seed")  # what the networks of variants that are held together have in common


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


def beside(parts: Sequence[Comparison]) -> Comparison:
    """One comparison of the variants of all parts, whose networks begin and train alike, number by number.

    What is measured in some parts only, such as forecasts, is NaN for the variants of the others; all but the first may lack
    meta-seeds. Raises InputError for parts of different tasks, training or networks, and for a variant that is in two.
    """
    if not parts:
        raise InputError("there is no comparison to set beside another")
    first = parts[0]
    known = first.networks
    for part in parts[1:]:
        for what in ALIKE:
            if part.settings[what] != first.settings[what]:
                raise InputError(f"variants can be set beside each other that have the same {what}")
        if not part.networks <= known:
            raise InputError("variants can be set beside others that have their meta-seeds and replicates, or more")
    names = [name for part in parts for name in part.table["variant"].unique()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"the variant {twice[0]!r} is in two of the comparisons")
    return replace(
        first,
        table=pd.concat([part.table for part in parts], ignore_index=True),
        curves=pd.concat([part.curves for part in parts], ignore_index=True),
        settings={**first.settings, "variants": {k: v for part in parts for k, v in part.settings["variants"].items()}},
        seconds=sum(part.seconds for part in parts),
    )
