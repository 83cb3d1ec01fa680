"""Metrics of an orbit forecast, one per file."""

from physlearn.metrics.action import action
from physlearn.metrics.climate import hellinger_distance, marginals, spectrum
from physlearn.metrics.derivative import derivative_loss
from physlearn.metrics.energy import energy_deviation, energy_drift, energy_error, energy_rms
from physlearn.metrics.period import amplitude, period
from physlearn.metrics.phase import phase_error, phase_rmse
from physlearn.metrics.valid_time import distance, lyapunov_times, truth_horizon, valid_prediction_time

__all__ = [
    "action",
    "amplitude",
    "derivative_loss",
    "distance",
    "energy_deviation",
    "energy_drift",
    "energy_error",
    "energy_rms",
    "hellinger_distance",
    "lyapunov_times",
    "marginals",
    "period",
    "phase_error",
    "phase_rmse",
    "spectrum",
    "truth_horizon",
    "valid_prediction_time",
]
