"""Versions, machine and command of a computation, for its manifest."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from physlearn._version import __version__
from physlearn.source import digest_of_source

PACKAGES = ("torch", "numpy", "numba", "scipy", "torchdiffeq")


def environment() -> dict[str, Any]:
    """Return the time, machine, versions and command of a computation."""
    program = Path(sys.argv[0]).name
    return {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "versions": {"physlearn": __version__, **{name: version(name) for name in PACKAGES}},
        "source": digest_of_source(),
        "command": ["physlearn" if program == "__main__.py" else program, *sys.argv[1:]],
    }
