"""Trained models that come with the explorer.

``python -m physlearn.explorer.shipped`` writes the files in this folder, with the default settings of
`~physlearn.explorer.Learning`.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
SYSTEMS = (
    "pendulum",
    "double-pendulum",
    "henon-heiles",
    "kepler",
    "lorenz",
    "pendulum-clock",
    "van-der-pol",
    "elastic-pendulum",
    "duffing",
    "harmonic-oscillator",
    "lotka-volterra",
    "fitzhugh-nagumo",
    "tao-oscillator",
)
ACTIVATION = "tanh"


def models(canonical: bool) -> tuple[str, ...]:
    """Return the names of the models that come with a system."""
    return ("nn", "hnn") if canonical else ("nn",)
