"""Checkpoints: nested states that contain tensors, written atomically to one file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from physlearn import schema, tensor_file
from systems import InputError

KIND = "meta-learning under way"


def as_read(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return JSON-ready content as it would be read from a file: tuples become lists."""
    return dict(json.loads(json.dumps(content)))


def save(path: str | os.PathLike[str], settings: Any, state: Any) -> None:
    """Write a state of dictionaries, lists, numbers, strings and tensors, together with the settings of the run."""
    tensors: dict[str, Tensor] = {}
    tensor_file.write(path, KIND, {"settings": settings, "state": _packed(state, tensors)}, tensors)


def load(path: str | os.PathLike[str], settings: Any) -> Any:
    """Return the state in a file. Raises InputError if the settings differ, and the errors of `tensor_file.read`."""
    content, tensors = tensor_file.read(path, KIND)
    with tensor_file.understood(path):
        schema.closed(dict.fromkeys(content), "checkpoint", ("settings", "state"))
        old, state, new = dict(content["settings"]), _unpacked(content["state"], tensors), settings
    if old != new:
        changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        raise InputError(f"{path} was started with other settings ({', '.join(changed)}); resume with those, or delete it")
    return state


def check_like(found: Any, fresh: Any, what: str = "state") -> None:
    """Raise InputError unless a state from a file has the form of a fresh one.

    Names, lengths, types and shapes are compared, except where the fresh state is empty or None, because a run fills it later.
    """
    kinds: type | tuple[type, ...] = (int, float) if type(fresh) in (int, float) else type(fresh)
    kinds = (list, tuple) if isinstance(fresh, list | tuple) else Mapping if isinstance(fresh, Mapping) else kinds
    fits = fresh is None or isinstance(found, kinds)
    if fits and isinstance(fresh, Tensor):
        fits = found.shape == fresh.shape and found.dtype == fresh.dtype and bool(found.isfinite().all())
    elif fits and isinstance(fresh, Mapping) and fresh:
        fits = set(found) == set(fresh)
    elif fits and isinstance(fresh, list | tuple) and fresh:
        fits = len(found) == len(fresh)
    if not fits:
        raise InputError(f"the {what} is not that of such a run; delete the file to start again")
    if isinstance(fresh, Mapping | list | tuple) and fresh:
        for name in fresh if isinstance(fresh, Mapping) else range(len(fresh)):
            check_like(found[name], fresh[name], f"entry {name!r} of the {what}")


def _packed(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return JSON that refers to tensors by key, and has dictionaries as pairs, because their keys may be numbers."""
    if isinstance(value, Tensor):
        key = str(len(tensors))
        tensors[key] = value.detach().clone()
        return {"tensor": key}
    if isinstance(value, dict):
        return {"pairs": [[key, _packed(part, tensors)] for key, part in value.items()]}
    if isinstance(value, list | tuple):
        return [_packed(part, tensors) for part in value]
    return value


def _unpacked(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: _unpacked(part, tensors) for key, part in value["pairs"]}
    if isinstance(value, list):
        return [_unpacked(part, tensors) for part in value]
    return value
