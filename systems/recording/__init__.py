"""Recordings of real systems: columns of numbers read from files, unwrapped, differentiated, and made into orbits."""

from systems.recording.csv_columns import read_columns
from systems.recording.derivatives import savitzky_golay, stretches

__all__ = ["read_columns", "savitzky_golay", "stretches"]
