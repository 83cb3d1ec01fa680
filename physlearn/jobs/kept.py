"""Units that are done: a file each, whole or not at all, with a checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from systems import InputError
from systems.atomic import atomically


def write(path: Path, settings: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Write what came of a unit, and its settings. Raises InputError for values that JSON does not know."""
    try:
        content = json.dumps({"settings": settings, "result": result})
    except TypeError as error:
        raise InputError(f"a unit gives numbers, texts and truth values by name, not {result!r} ({error})") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as temporary:
        temporary.write_text(f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}\n")


def read(path: Path) -> dict[str, Any] | None:
    """Return the result of a unit; None where there is none that is whole."""
    try:
        checksum, content = path.read_text().splitlines()
    except (OSError, ValueError):
        return None
    if hashlib.sha256(content.encode()).hexdigest() != checksum:
        return None
    result: dict[str, Any] = json.loads(content)["result"]
    return result
