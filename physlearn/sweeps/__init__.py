"""Sweeps: many small units of work, in this process, in several, or on a cluster."""

from physlearn.sweeps.workers import Workers

__all__ = ["Workers"]
