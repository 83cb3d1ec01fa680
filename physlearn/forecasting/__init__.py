"""Forecasting: fit a model to orbits, roll it out, and save it."""

from physlearn.forecasting.forecaster import Forecaster

__all__ = ["Forecaster"]
