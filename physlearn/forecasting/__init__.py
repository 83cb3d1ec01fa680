"""Forecasting: fit a model to orbits, roll it out, and save it."""

from physlearn.forecasting.bands import BandedOrbit
from physlearn.forecasting.forecaster import Forecaster

__all__ = ["BandedOrbit", "Forecaster"]
