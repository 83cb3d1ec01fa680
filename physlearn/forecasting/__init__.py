"""Forecasting: fit a model to orbits, roll it out, and save it."""

from physlearn.forecasting.bands import BandedOrbit
from physlearn.forecasting.denoised import DenoisedOrbit
from physlearn.forecasting.forecaster import Forecaster
from physlearn.forecasting.found_symmetries import found_symmetries

__all__ = ["BandedOrbit", "DenoisedOrbit", "Forecaster", "found_symmetries"]
