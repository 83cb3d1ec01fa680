"""Forecasting: fit, roll out, keep."""

from physlearn.forecasting.forecaster import Forecaster

__all__ = ["Forecaster"]
