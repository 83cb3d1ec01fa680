"""The old place of `physlearn.jobs` and of `physlearn.comparison.search`."""

from systems.deprecation import moved_names

__getattr__ = moved_names(
    __name__,
    dict.fromkeys(("Workers", "WorkersLostError", "alone_in", "alone_on", "seal", "sweep", "told", "whole"), "physlearn.jobs")
    | dict.fromkeys(("best", "search"), "physlearn.comparison"),
)
