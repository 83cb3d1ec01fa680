"""A digest of the source code, which identifies the code behind a result when a version number does not."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import systems


@cache
def digest_of_source() -> str:
    """Return twelve hexadecimal digits that change with any change to a module of physlearn or systems."""
    digest = hashlib.sha256()
    for package in (Path(__file__).parent, Path(systems.__file__).parent):
        for path in sorted(package.rglob("*.py")):
            digest.update(str(path.relative_to(package.parent)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
