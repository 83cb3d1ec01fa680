"""Comparison: replicates, statistics, tables."""

from physlearn.comparison.compare import compare
from physlearn.comparison.joined import beside, joined
from physlearn.comparison.lineup import line_up
from physlearn.comparison.result import Comparison

__all__ = ["Comparison", "beside", "compare", "joined", "line_up"]
