"""Recordings of real systems: reading columns from files, unwrapping angles, and estimating derivatives."""

from systems.recording.csv_columns import read_columns
from systems.recording.derivatives import savitzky_golay, stretches

__all__ = ["read_columns", "savitzky_golay", "stretches"]
