"""Jobs: run many small units of work in this process, in several processes or on a cluster, and keep their results."""

from physlearn.jobs.lock import alone_in, alone_on
from physlearn.jobs.store import seal, told, whole
from physlearn.jobs.sweep import sweep
from physlearn.jobs.workers import Workers, WorkersLostError

__all__ = ["Workers", "WorkersLostError", "alone_in", "alone_on", "seal", "sweep", "told", "whole"]
