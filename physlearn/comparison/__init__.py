"""Comparison of activation functions: replicates, statistics and tables."""

from physlearn.comparison.compare import compare, compare_apart
from physlearn.comparison.result import Comparison, beside, joined
from physlearn.comparison.search import best, search
from physlearn.comparison.variants import line_up

__all__ = ["Comparison", "beside", "best", "compare", "compare_apart", "joined", "line_up", "search"]
