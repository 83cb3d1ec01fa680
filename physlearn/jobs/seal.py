"""Seals: checksums that show whether a result is complete and unchanged."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from systems.atomic import atomically


def seal(result: Path, told: Mapping[str, Any]) -> Path:
    """Write a seal beside a finished result: the checksums of its files, and further information about it.

    The seal is written last, and completely or not at all, so a result without a seal is incomplete.

    Parameters
    ----------
    result : Path
        A file or folder.
    told : mapping
        Information about the result, by name, such as the settings it was computed with. Values that JSON cannot represent are
        stored as strings.

    Returns
    -------
    Path
        The path of the seal, ``<result>.seal``.
    """
    path = _seal_of(result)
    with atomically(path) as temporary:
        temporary.write_text(json.dumps({**told, "sha256": _checksums(result)}, indent=1, default=str) + "\n")
    return path


def whole(result: Path) -> bool:
    """Return whether a result is complete and unchanged since it was sealed.

    Parameters
    ----------
    result : Path
        A file or folder.

    Returns
    -------
    bool
        True if the result and its seal exist, and every file has the checksum in the seal.

    Examples
    --------
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
    """Return the contents of a result's seal.

    Parameters
    ----------
    result : Path
        A file or folder.

    Returns
    -------
    dict
        The information given to `seal`, and the checksums under ``"sha256"``.

    Raises
    ------
    OSError
        If there is no seal, or it cannot be read.
    ValueError
        If the seal is not valid JSON.
    """
    return dict(json.loads(_seal_of(result).read_text()))


def _seal_of(result: Path) -> Path:
    return result.with_name(f"{result.name}.seal")


def _checksums(result: Path) -> dict[str, str]:
    files = sorted(path for path in result.rglob("*") if path.is_file()) if result.is_dir() else [result]
    return {str(path.relative_to(result.parent)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
