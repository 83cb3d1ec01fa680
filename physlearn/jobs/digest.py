"""Digests: short names for everything that determines a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any


def digest(content: object, *, length: int = 12, otherwise: Callable[[Any], object] | None = str) -> str:
    """Return the first ``length`` hexadecimal digits of the SHA-256 of the content as JSON.

    Content that is equal as JSON has the same digest, whatever the order of its keys. The function ``otherwise`` converts
    values that JSON cannot represent; if it is None, such values raise a TypeError.

    >>> digest({"a": 1, "b": [2]}) == digest({"b": (2,), "a": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, default=otherwise)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
