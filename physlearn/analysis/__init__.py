"""Analysis of trained networks: dimensionality of activities, curvature of the loss, and escape from minima by noise."""

from physlearn.analysis.clustering import agreement_within, aligned, cluster_curves, curve_distances
from physlearn.analysis.descent_noise import descent_noise
from physlearn.analysis.equations import equations
from physlearn.analysis.escape import descent_rate, escape_rate, escape_times, kramers_rate
from physlearn.analysis.formulas import Equations
from physlearn.analysis.hessian import Estimate, Hessian, hessian
from physlearn.analysis.landscape import Landscape
from physlearn.analysis.langevin import langevin
from physlearn.analysis.loss_slice import LossSlice
from physlearn.analysis.participation import activities, participation_ratio
from physlearn.analysis.polynomial import polynomial_fits
from physlearn.analysis.spectrum import Bounded, SpectralDensity, near_zero
from physlearn.analysis.symbolic import Formula, symbolic_fit

__all__ = [
    "Bounded",
    "Equations",
    "Estimate",
    "Formula",
    "Hessian",
    "Landscape",
    "LossSlice",
    "SpectralDensity",
    "activities",
    "agreement_within",
    "aligned",
    "cluster_curves",
    "curve_distances",
    "descent_noise",
    "descent_rate",
    "equations",
    "escape_rate",
    "escape_times",
    "hessian",
    "kramers_rate",
    "langevin",
    "near_zero",
    "participation_ratio",
    "polynomial_fits",
    "symbolic_fit",
]
