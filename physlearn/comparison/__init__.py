"""Comparison: replicates, statistics, tables."""

from physlearn.comparison.apart import compare_apart
from physlearn.comparison.compare import compare
from physlearn.comparison.joined import beside, joined
from physlearn.comparison.lineup import line_up
from physlearn.comparison.result import Comparison

__all__ = ["Comparison", "beside", "compare", "compare_apart", "joined", "line_up"]
