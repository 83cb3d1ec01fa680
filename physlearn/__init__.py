"""What learns and forecasts: from a system or a recording to a trustworthy orbit forecast."""

from importlib.metadata import version

from physlearn import activations, forecasting, integrators, models, training
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
    "models",
    "training",
]
