"""Variants: the activations of a comparison, each under the name that tables and pictures use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from physlearn.activations import Activation, get
from physlearn.activations.learned import LearnedActivations
from physlearn.metalearning import SEARCHES
from systems import InputError

TRADITIONAL = ("tanh", "relu")
BY_HAND = "sine+tanh"
BEST_NAMED = "best named"

Variants = Mapping[str, str | Activation]


def line_up(
    learned: LearnedActivations | None,
    single: LearnedActivations | None = None,
    others: Sequence[str] = (*TRADITIONAL, BY_HAND),
) -> dict[str, str | Activation]:
    """Return the variants of a comparison by name.

    They are the base (``"best named"`` for the result of a search, whose base it is), each learned type alone, the mix of
    the types, a single type that was learned by itself, and named activations. The single type is the control for every mix:
    a mix must gain more than one type that was learned with the same effort.

    Parameters
    ----------
    learned : LearnedActivations or None
        The learned types and their base.
    single : LearnedActivations, optional
        The control, which must have exactly one type.
    others : sequence of str
        Names of further activations; by default ``"tanh"``, ``"relu"`` and ``"sine+tanh"``.

    Returns
    -------
    dict of str to str or Activation
        The activations by name.

    Raises
    ------
    InputError
        If the control has several types, or there are no variants at all.
    """
    variants: dict[str, str | Activation] = {} if learned is None else {_name_of_base(learned): learned.base}
    if learned is not None:
        if len(learned) > 1:
            variants |= {table.name: table for table in learned.types}
        variants["mix" if len(learned) > 1 else "single"] = learned.mix
    if single is not None:
        if len(single) != 1:
            raise InputError(f"the control must be one learned type, not {len(single)}")
        variants["single"] = single.mix
    for name in others:
        get(name)
        variants.setdefault(name, name)
    if not variants:
        raise InputError("there is nothing to compare: give learned activations or the names of others")
    return variants


def _name_of_base(learned: LearnedActivations) -> str:
    """Return one name for the bases of all searches, which differ from run to run."""
    return BEST_NAMED if learned.settings.get("variant") in SEARCHES else learned.base
