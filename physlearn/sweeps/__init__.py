"""Sweeps: many small units of work, in this process, in several, or on a cluster."""

from physlearn.sweeps.lock import alone_in, alone_on
from physlearn.sweeps.seal import seal, told, whole
from physlearn.sweeps.search import best, search
from physlearn.sweeps.sweep import sweep
from physlearn.sweeps.workers import Workers, WorkersLostError

__all__ = ["Workers", "WorkersLostError", "alone_in", "alone_on", "best", "seal", "search", "sweep", "told", "whole"]
