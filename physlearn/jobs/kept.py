"""Finished units: one file per unit, with a checksum, written completely or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from systems import InputError
from systems.atomic import atomically


def write(path: Path, settings: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Write the result of a unit together with its settings. Raises InputError for values that JSON cannot represent."""
    try:
        content = json.dumps({"settings": settings, "result": result})
    except TypeError as error:
        raise InputError(
            f"a unit must return a mapping of names to numbers, strings and booleans, not {result!r} ({error})"
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as temporary:
        temporary.write_text(f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}\n")


def read(path: Path) -> dict[str, Any] | None:
    """Return the result of a unit, or None if its file is missing, incomplete or damaged."""
    try:
        checksum, content = path.read_text().splitlines()
    except (OSError, ValueError):
        return None
    if hashlib.sha256(content.encode()).hexdigest() != checksum:
        return None
    result: dict[str, Any] = json.loads(content)["result"]
    return result
