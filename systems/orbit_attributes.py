"""The metadata of an orbit as attributes of a dataset or a table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from systems.json_ready import json_ready

FORMAT = "physlearn-orbit-1"  # of datasets, tables, and files of version 0.1.0, which may lack a checksum
SEALED = "physlearn-orbit-2"  # of files with a checksum
TOLD = ("provenance", "periods")


class Told(Protocol):
    """Anything that tells where it comes from, and which of its coordinates are angles."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where the orbit comes from."""

    @property
    def periods(self) -> Mapping[str, float]:
        """Period of each coordinate that is an angle, by name."""


def attributes_of(orbit: Told) -> dict[str, str]:
    """Return the provenance and the periods of an orbit as texts, with the name of the format."""
    return {"format": FORMAT, **{name: json.dumps(json_ready(getattr(orbit, name))) for name in TOLD}}


def told_by(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the provenance and the periods among attributes; nothing if they are not those of `attributes_of`."""
    if attributes.get("format") not in (FORMAT, SEALED):
        return {}
    try:
        told = {name: json.loads(attributes[name]) for name in TOLD}
    except (KeyError, TypeError, ValueError):
        return {}
    return told if all(isinstance(part, dict) for part in told.values()) else {}
