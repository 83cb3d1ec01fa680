"""Seals: what tells a result that is whole from one that was cut short or changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from systems.atomic import atomically


def seal(result: Path, told: Mapping[str, Any]) -> Path:
    """Write, beside a result that is done (a file or a folder), the checksums of its files and what is told of it.

    The seal comes last and is written whole or not at all: what has none was cut short.
    """
    path = _seal_of(result)
    with atomically(path) as temporary:
        temporary.write_text(json.dumps({**told, "sha256": _checksums(result)}, indent=1, default=str) + "\n")
    return path


def whole(result: Path) -> bool:
    """Whether a result is there as it was sealed: every file, and no byte of them changed.

    >>> import tempfile
    >>> result = Path(tempfile.mkdtemp()) / "result.txt"
    >>> _ = result.write_text("42")
    >>> _ = seal(result, {"seed": 0})
    >>> whole(result)
    True
    >>> _ = result.write_text("43")
    >>> whole(result)
    False
    """
    try:
        return result.exists() and told(result)["sha256"] == _checksums(result)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def told(result: Path) -> dict[str, Any]:
    """What its seal tells of a result, by whom and with what it was made. Raises OSError or ValueError where there is none."""
    return dict(json.loads(_seal_of(result).read_text()))


def _seal_of(result: Path) -> Path:
    return result.with_name(f"{result.name}.seal")


def _checksums(result: Path) -> dict[str, str]:
    files = sorted(path for path in result.rglob("*") if path.is_file()) if result.is_dir() else [result]
    return {str(path.relative_to(result.parent)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
