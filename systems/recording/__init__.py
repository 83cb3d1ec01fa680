"""Recordings of real systems: reading columns from files, unwrapping angles, and estimating derivatives.

Names are imported when they are first used, because smoothing needs numba, which is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from systems.lazy import lazily

if TYPE_CHECKING:
    from systems.recording.csv_columns import read_columns
    from systems.recording.derivatives import savitzky_golay, stretches
    from systems.recording.embedding import delay_embedding
    from systems.recording.smoothing import Smooth, smooth

__all__ = ["Smooth", "delay_embedding", "read_columns", "savitzky_golay", "smooth", "stretches"]

_PLACES = {
    "Smooth": "smoothing",
    "delay_embedding": "embedding",
    "read_columns": "csv_columns",
    "savitzky_golay": "derivatives",
    "smooth": "smoothing",
    "stretches": "derivatives",
}

__getattr__, __dir__ = lazily(__name__, _PLACES, __all__)
