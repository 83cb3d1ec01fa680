"""Learn flows from orbits, and forecast: from a system or a recording to an orbit forecast with known errors."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from physlearn import _own_systems  # noqa: F401 - before anything is taken from `systems`
from physlearn._version import __version__ as __version__

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


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: all of them together take seconds."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _HOMES:
        found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
