"""Digests: a short name for all that decides a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any


def digest(content: Any, *, length: int = 12, otherwise: Callable[[Any], Any] | None = str) -> str:
    """So many hexadecimal digits of SHA-256, the same for equal JSON whatever the order of its keys.

    otherwise: what is made of values that JSON does not know. Raises TypeError for them where there is nothing.

    >>> digest({"a": 1, "b": [2]}) == digest({"b": (2,), "a": 1})
    True
    """
    text = json.dumps(content, sort_keys=True, default=otherwise)
    return hashlib.sha256(text.encode()).hexdigest()[:length]
