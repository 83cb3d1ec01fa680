"""Comparison of activation functions: replicates, statistics and tables."""

from physlearn.comparison.combine import beside, compare_apart, joined
from physlearn.comparison.compare import compare
from physlearn.comparison.result import Comparison
from physlearn.comparison.search import best, search
from physlearn.comparison.variants import line_up

__all__ = ["Comparison", "beside", "best", "compare", "compare_apart", "joined", "line_up", "search"]
