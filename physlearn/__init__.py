"""What learns and forecasts: from a system or a recording to a trustworthy orbit forecast."""

from importlib.metadata import version

from physlearn import activations, forecasting, integrators, metrics, models, plotting, training
from physlearn.forecasting import Forecaster
from physlearn.integrators import ConvergenceError, NotHamiltonianError, NotSeparableError, integrate

__version__ = version("physlearn")

__all__ = [
    "ConvergenceError",
    "Forecaster",
    "NotHamiltonianError",
    "NotSeparableError",
    "activations",
    "forecasting",
    "integrate",
    "integrators",
    "metrics",
    "models",
    "plotting",
    "training",
]
