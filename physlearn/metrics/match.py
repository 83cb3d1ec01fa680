"""Whether two orbits can be compared."""

import torch

from systems import InputError, Orbit


def check_match(forecast: Orbit, truth: Orbit) -> None:
    """Raise InputError unless both have the same coordinates, times and shape, and the truth is finite."""
    if forecast.coordinates != truth.coordinates:
        raise InputError(f"the forecast has the coordinates {forecast.coordinates}, the truth {truth.coordinates}")
    if forecast.shape != truth.shape:
        raise InputError(f"the forecast has the shape {tuple(forecast.shape)}, the truth {tuple(truth.shape)}")
    if not torch.allclose(forecast.t.double(), truth.t.double().to(forecast.t.device), rtol=1e-6):
        raise InputError("forecast and truth are given at different times")
    if not torch.isfinite(truth.z).all():
        raise InputError("the truth holds states that are not finite numbers: nothing can be held against it")
