"""What an activation is made of, as JSON: its name, or the grids of its tables, whose values are kept as tensors."""

from __future__ import annotations

from typing import Any

import torch

from physlearn.activations.activation import Activation
from physlearn.activations.get import get
from physlearn.activations.mixture import Mixture
from physlearn.activations.named import LEARNED, Named
from physlearn.activations.pieces import Grid
from physlearn.activations.piecewise import Piecewise
from physlearn.activations.table import Table
from systems import InputError


def describe(activation: str | Activation) -> Any:
    """A name for what has one, else a dictionary. Raises InputError for what cannot be written to a file."""
    activation = get(activation)
    if isinstance(activation, Named):
        return activation.name
    if isinstance(activation, Mixture):
        along = {} if activation.dim in (None, -1) else {"dim": activation.dim}  # a network's neurons are the last axis
        return {"mixture": [describe(kind) for kind in activation.types], **along}  # type: ignore[arg-type]
    if isinstance(activation, Table):
        low, high = activation.interval
        table = {"name": activation.name, "kind": activation.kind, "low": low, "high": high, "points": activation.points}
        return {"table": table}
    if isinstance(activation, Piecewise):
        types, cells, _ = activation.coefficients.shape[-3:]
        return {"piecewise": {"name": activation.name, "grid": list(activation.grid), "types": types, "cells": cells}}
    raise InputError(f"an activation of type {type(activation).__name__} cannot be saved; capture it in a Table")


def content(activation: str | Activation) -> Any:
    """All that an activation computes, as JSON: the name of one that has no tables, else its description and their values."""
    if isinstance(activation, str) and not activation.startswith(LEARNED):
        return activation
    activation = get(activation)
    return [describe(activation), *(tensor.tolist() for tensor in activation.state_dict().values())]


def restore(description: Any) -> Activation:
    """The activation of that description; its tables are zero until their values are loaded."""
    if isinstance(description, str):
        return get(description)
    if "mixture" in description:
        return Mixture([restore(part) for part in description["mixture"]], description.get("dim"))
    if "piecewise" in description:
        parts = description["piecewise"]
        return Piecewise(torch.zeros(parts["types"], parts["cells"], 4), Grid(*parts["grid"]), parts["name"])
    table = description["table"]
    return Table(torch.zeros(table["points"]), (table["low"], table["high"]), table["kind"], table["name"])
