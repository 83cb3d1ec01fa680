"""Learn flows from orbits, and forecast: from a system or a recording to an orbit forecast with known errors."""

from typing import TYPE_CHECKING

from physlearn import _own_systems  # noqa: F401 - before anything is taken from `systems`
from physlearn._version import __version__ as __version__
from systems.lazy import lazily

if TYPE_CHECKING:
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
    from physlearn.activations.learned import LearnedActivations
    from physlearn.comparison import Comparison
    from physlearn.comparison.compare import compare
    from physlearn.forecasting import Forecaster
    from physlearn.integrators import ConvergenceError, NotHamiltonianError, NotSeparableError, integrate
    from physlearn.metalearning.metalearn import metalearn

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

_HOMES = {
    **dict.fromkeys(("Comparison", "compare"), "comparison"),
    **dict.fromkeys(("ConvergenceError", "NotHamiltonianError", "NotSeparableError", "integrate"), "integrators"),
    "Forecaster": "forecasting",
    "LearnedActivations": "activations.learned",
    "metalearn": "metalearning",
}

__getattr__, __dir__ = lazily(__name__, _HOMES, __all__)
