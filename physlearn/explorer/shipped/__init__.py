"""Trained models that come with the explorer.

``python -m physlearn.explorer.shipped`` writes the files in this folder, with the default settings of
`~physlearn.explorer.Learning`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from systems import System

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
MODELS = {"kepler": ("nn", "hnn", "hnn-mechanical")}  # others have nn, and hnn if they are Hamiltonian
ACTIVATION = "tanh"


def models(system: System) -> tuple[str, ...]:
    """Return the names of the models that come with a system."""
    return MODELS.get(system.name) or (("nn", "hnn") if system.canonical else ("nn",))
