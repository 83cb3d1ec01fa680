"""The old place of `physlearn.jobs` and of `physlearn.comparison.search`."""

from systems.deprecation import old_names

_JOBS = ("Workers", "WorkersLostError", "alone_in", "alone_on", "seal", "sweep", "told", "whole")
__getattr__ = old_names(
    __name__,
    {name: f"physlearn.jobs.{name}" for name in _JOBS} | {name: f"physlearn.comparison.{name}" for name in ("best", "search")},
)
