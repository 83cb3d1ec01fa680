"""Variants: the activations that are compared, each by the name that tables and pictures give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from physlearn.activations import Activation, get
from physlearn.activations.learned import LearnedActivations
from systems import InputError

TRADITIONAL = ("tanh", "relu")
BY_HAND = "sine+tanh"

Variants = Mapping[str, str | Activation]


def line_up(
    learned: LearnedActivations | None,
    single: LearnedActivations | None = None,
    others: Sequence[str] = (*TRADITIONAL, BY_HAND),
) -> dict[str, str | Activation]:
    """The base, each learned type alone, their mix; a single type that was learned for itself; and named ones.

    A single learned type is the control that belongs beside every mix: what a mix gains has to be more than what one type
    gains that was learned with the same effort. Raises InputError for a single that has several types, or for nothing at all.
    """
    variants: dict[str, str | Activation] = {} if learned is None else {learned.base: learned.base}
    if learned is not None:
        if len(learned) > 1:
            variants |= {table.name: table for table in learned.types}
        variants["mix" if len(learned) > 1 else "single"] = learned.mix
    if single is not None:
        if len(single) != 1:
            raise InputError(f"the control is one learned type, not {len(single)}")
        variants["single"] = single.mix
    for name in others:
        get(name)
        variants.setdefault(name, name)
    if not variants:
        raise InputError("there is nothing to compare: give learned activations, or names of others")
    return variants
