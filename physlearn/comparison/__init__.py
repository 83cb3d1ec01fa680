"""Comparison: replicates, statistics, tables."""

from physlearn.comparison.compare import compare
from physlearn.comparison.joined import joined
from physlearn.comparison.lineup import line_up
from physlearn.comparison.result import Comparison

__all__ = ["Comparison", "compare", "joined", "line_up"]
