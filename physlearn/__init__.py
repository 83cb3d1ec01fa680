"""What learns and forecasts: from a system or a recording to a trustworthy orbit forecast."""

from physlearn import interruption  # noqa: F401 - first, as the rest takes seconds

# isort: split
from physlearn import _own_systems  # noqa: F401 - before anything is taken from `systems`

# isort: split
from physlearn import (
    activations,
    analysis,
    chaos,
    comparison,
    forecasting,
    integrators,
    metalearning,
    metrics,
    models,
    plotting,
    tasks,
    training,
)
from physlearn._version import __version__ as __version__
from physlearn.activations.learned import LearnedActivations
from physlearn.comparison import Comparison, compare
from physlearn.forecasting import Forecaster
from physlearn.integrators import ConvergenceError, NotHamiltonianError, NotSeparableError, integrate
from physlearn.metalearning import metalearn

__all__ = [
    "Comparison",
    "ConvergenceError",
    "Forecaster",
    "LearnedActivations",
    "NotHamiltonianError",
    "NotSeparableError",
    "activations",
    "analysis",
    "chaos",
    "compare",
    "comparison",
    "forecasting",
    "integrate",
    "integrators",
    "metalearn",
    "metalearning",
    "metrics",
    "models",
    "plotting",
    "tasks",
    "training",
]
