"""Reproduce every figure of the paper *Neural networks embrace learned diversity* with one command."""

from physlearn.studies.learned_diversity import (
    attempts_figure,
    claims,
    curves_figure,
    descent_figure,
    digit_figures,
    hessian_figure,
    map_evidence,
    map_figure,
    map_study,
    mix_figures,
    mix_study,
    orbit_figures,
    shape_figures,
    study,
    transfer_figure,
)
from physlearn.studies.learned_diversity.figures import names, reproduce

__all__ = [
    "attempts_figure",
    "claims",
    "curves_figure",
    "descent_figure",
    "digit_figures",
    "hessian_figure",
    "map_evidence",
    "map_figure",
    "map_study",
    "mix_figures",
    "mix_study",
    "names",
    "orbit_figures",
    "reproduce",
    "shape_figures",
    "study",
    "transfer_figure",
]
