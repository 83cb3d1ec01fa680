"""Describe an activation as JSON: its name, or the grids of its tables, whose values are stored as tensors.

Of functions that train with a network, the description has how they start, and tensors have their coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import torch

from physlearn import schema
from physlearn.activations import trained
from physlearn.activations.activation import Activation, neurons_per_type
from physlearn.activations.get import Given, get
from physlearn.activations.mixture import Mixture, checked_shares
from physlearn.activations.named import LEARNED, Named
from physlearn.activations.per_layer import PerLayer
from physlearn.activations.per_role import PerRole
from physlearn.activations.piecewise import Piecewise
from physlearn.activations.piecewise_cubic import Grid
from physlearn.activations.spline import DEGREES, LARGEST
from physlearn.activations.table import Table
from physlearn.schema import Json
from systems import InputError

KINDS = ("mixture", "layers", "roles", "trained", "table", "piecewise")
MOST = 1000  # types in a mixture; few layers have that many neurons


def describe(activation: Given) -> Json:
    """Return the name of a named activation, else a dictionary. Raises InputError for a type that cannot be saved."""
    activation = get(activation)
    if isinstance(activation, Named):
        return activation.name
    if isinstance(activation, Mixture):
        along: Json = {} if activation.dim in (None, -1) else {"dim": activation.dim}  # those of networks are on the last axis
        shares: Json = {} if activation.shares is None else {"shares": list(activation.shares)}
        return {"mixture": [describe(kind) for kind in activation.types], **along, **shares}  # type: ignore[arg-type, dict-item]
    if isinstance(activation, PerLayer):
        return {"layers": [describe(layer) for layer in activation.layers]}  # type: ignore[arg-type]
    if isinstance(activation, PerRole):
        return {"roles": {role: describe(part) for role, part in activation.roles.items()}}  # type: ignore[arg-type]
    if isinstance(activation, trained.Trained) and type(activation) is trained.KINDS.get(activation.kind):
        return {"trained": {"kind": activation.kind, **activation.settings}}
    if isinstance(activation, Table):
        low, high = activation.interval
        table: Json = {"name": activation.name, "kind": activation.kind, "low": low, "high": high, "points": activation.points}
        return {"table": table}
    if isinstance(activation, Piecewise):
        types, cells, _ = activation.coefficients.shape[-3:]
        pieces: Json = {"name": activation.name, "grid": list(activation.grid), "types": types, "cells": cells}
        return {"piecewise": pieces}
    raise InputError(f"an activation of type {type(activation).__name__} cannot be saved; capture it in a Table")


def content(activation: Given) -> Json:
    """Return all that defines an activation, as JSON: its name, or its description and the values of its tables."""
    if isinstance(activation, str) and not activation.startswith(LEARNED):
        return activation
    activation = get(activation)
    return [describe(activation), *(tensor.tolist() for tensor in activation.state_dict().values())]


def check_description(description: Any) -> None:
    """Raise InputError unless `describe` could have returned this description; no activation is built."""
    for part in _parts(description):
        if isinstance(part, str):
            schema.text(part, "the name of an activation")
        elif "trained" in part:
            _trained(part["trained"])
        elif "table" in part:
            table = schema.closed(part["table"], "table", ("name", "kind", "low", "high", "points"))
            schema.text(table["name"], "the name of a table")
            schema.whole(table["points"], "points", 2, LARGEST)
            if not schema.number(table["low"], "low") < schema.number(table["high"], "high") or table["kind"] not in DEGREES:
                raise InputError(f"a table needs an interval and a kind ({', '.join(DEGREES)}), not {table!r:.200}")
        else:
            pieces = schema.closed(part["piecewise"], "piecewise activation", ("name", "grid", "types", "cells"))
            schema.text(pieces["name"], "the name of an activation")
            for name in ("types", "cells"):
                schema.whole(pieces[name], name, 1, 10**9)
            start, step = schema.listed(pieces["grid"], "grid", 2)
            if not schema.number(step, "the step of a grid") > 0 or not isfinite(schema.number(start, "its start") + step):
                raise InputError(f"a grid needs a start and a positive step, not {pieces['grid']!r:.80}")


def numbers_of(description: Any, widths: Sequence[int]) -> int:
    """Return how many numbers an activation holds at least in a network with hidden layers of these widths.

    The description has been checked. Layers share tables, but each has coefficients of its own if these train.
    """
    if isinstance(description, dict) and "roles" in description:
        return sum(numbers_of(part, widths) for part in description["roles"].values())
    found = 0
    for part in _parts(description):
        if isinstance(part, dict) and "table" in part:
            found += part["table"]["points"]
        elif isinstance(part, dict) and "piecewise" in part:
            found += 4 * part["piecewise"]["types"] * part["piecewise"]["cells"]
    parts = description.get("layers", [description] * len(widths)) if isinstance(description, dict) else []
    return found + sum(_coefficients_of(part, width) for part, width in zip(parts, widths, strict=False))


def _coefficients_of(description: Any, neurons: int) -> int:
    """Return the number of coefficients in a layer that train."""
    if not isinstance(description, dict):
        return 0
    if "trained" in description:
        function = _trained(description["trained"])
        return len(function.start) * (neurons if function.per_neuron else 1)
    kinds = description.get("mixture", [])
    shares = neurons_per_type(neurons, description.get("shares", len(kinds))) if kinds else []
    return sum(_coefficients_of(kind, share) for kind, share in zip(kinds, shares, strict=True))


def _parts(description: Any) -> list[Any]:
    """Return the simple activations in a mixture, and in those in it or in layers. Raises InputError for anything else."""
    if isinstance(description, str):
        return [description]
    found = set(description) if isinstance(description, dict) else set()
    if found != {"mixture", "shares"} and not (len(found) == 1 and found <= set(KINDS)):
        raise InputError(f"an activation must be a name or one of {', '.join(KINDS)}, not {description!r:.80}")
    if found <= {"trained", "table", "piecewise"}:
        return [description]
    if "roles" in found:
        return [part for kind in schema.mapped(description["roles"], "roles").values() for part in _parts(kind)]
    several = schema.listed(description.get("mixture", description.get("layers")), "the parts of an activation", MOST)
    if "shares" in found:
        checked_shares(schema.listed(description["shares"], "shares", MOST), len(several))
    return [part for kind in several for part in _parts(kind)]


def restore(description: Any) -> Activation:
    """Return the activation that has this description; its tables are zero until their values are loaded."""
    if isinstance(description, str):
        return get(description)
    if "mixture" in description:
        return Mixture(
            [restore(part) for part in description["mixture"]], description.get("dim"), shares=description.get("shares")
        )
    if "layers" in description:
        return PerLayer([restore(part) for part in description["layers"]])
    if "roles" in description:
        return PerRole({role: restore(part) for role, part in description["roles"].items()})
    if "trained" in description:
        return _trained(description["trained"])
    if "piecewise" in description:
        pieces = description["piecewise"]
        return Piecewise(torch.zeros(pieces["types"], pieces["cells"], 4), Grid(*pieces["grid"]), pieces["name"])
    table = description["table"]
    return Table(torch.zeros(table["points"]), (table["low"], table["high"]), table["kind"], table["name"])


def _trained(description: Any) -> trained.Trained:
    """Return a trained activation, which is small, so that a check may build it. Raises InputError if there is no such one."""
    settings = schema.mapped(description, "the settings of a trained activation")
    cls = trained.KINDS.get(schema.text(settings.pop("kind", ""), "the kind of a trained activation"))
    try:
        if cls is None:
            raise TypeError("there is no such kind")
        return cls(**{name: schema.listed(x, name, MOST) if name != "per_neuron" else x for name, x in settings.items()})
    except TypeError as error:
        raise InputError(f"the file describes no trained activation: {error}") from None
