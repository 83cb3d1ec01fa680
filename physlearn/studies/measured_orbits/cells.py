"""One cell of the table: what is trained on measured orbits, and how well it forecasts others."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch

import systems
from physlearn.flow import FlowLike
from physlearn.forecasting.forecaster import Forecaster
from physlearn.integrators import integrate
from physlearn.metrics import energy_error, valid_prediction_time
from physlearn.studies.measured_orbits import peers
from physlearn.studies.measured_orbits.orbits import PROTOCOLS, TESTS, Protocol, measured
from systems import AccuracyWarning, HamiltonianSystem, InputError, IntegrationError, Orbit

EXACT = "exact rates"
LOSSES = ("derivative", "step", "shooting", "weak")
MODELS = ("cubic", "polynomial", "sparse")
PACKAGES = {"PySINDy": "pysindy", "phlearn": "phlearn"}  # and the modules that they install
COLUMNS = (EXACT, *LOSSES, *MODELS, *PACKAGES)
HIDDEN = 30  # neurons


def available(column: str) -> bool:
    """Return whether a column can be computed, because it is ours or its package is installed."""
    return column not in PACKAGES or find_spec(PACKAGES[column]) is not None


def applies(column: str, system: str) -> bool:
    """Return whether a column has cells for a system: phlearn's network only for those that are Hamiltonian."""
    return column != "phlearn" or PROTOCOLS[system].hamiltonian


def cell(system: str, per_turn: float, noise: float, loss: str, seed: int) -> dict[str, Any]:
    """Train one forecaster, and return its median valid time, energy error and time of training.

    What cannot be trained, or has a forecast that leaves every bound, is valid for no time.

    Parameters
    ----------
    system, per_turn, noise, seed
        The orbits, as for `measured`.
    loss
        A loss of `~physlearn.forecasting.Forecaster.fit`; ``"exact rates"`` for a network that learns the exact states and
        rates; ``"cubic"`` for a polynomial fitted to rates of splines; ``"polynomial"`` or ``"sparse"`` for these models,
        which are Hamiltonian for systems whose networks are; or the package ``"PySINDy"`` or ``"phlearn"``.
    """
    protocol, flow = PROTOCOLS[system], systems.get(system)
    exact, noisy = measured(system, per_turn, noise, seed)
    t = torch.linspace(0, protocol.time, 1001, dtype=torch.float64)
    truth = flow.orbit(flow.sample(TESTS, seed=2 * seed + 1, **protocol.test_sample), t)
    start, found = time.process_time(), {"valid_time": 0.0, "energy_error": float("nan")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)
        try:
            learned = _learned(loss, exact if loss == EXACT else noisy, protocol, seed)
            seconds = time.process_time() - start
            forecast = _forecast(learned, truth)
        except (InputError, IntegrationError):  # the states do not suffice, or the forecast leaves every bound
            return {**found, "seconds": time.process_time() - start}
    found["valid_time"] = float(valid_prediction_time(forecast, truth).median())
    if isinstance(flow, HamiltonianSystem):
        found["energy_error"] = float(energy_error(forecast, flow).median())
    return {**found, "seconds": seconds}


def _learned(loss: str, orbits: Orbit, protocol: Protocol, seed: int) -> Forecaster | FlowLike:
    if loss == "PySINDy":
        return peers.pysindy(orbits, protocol.turn)
    if loss == "phlearn":
        return peers.phlearn(orbits, seed)
    fit = partial(Forecaster.fit, progress=False)
    if loss in ("polynomial", "sparse"):
        name = f"{loss}-hamiltonian" if protocol.hamiltonian else loss
        return fit(Forecaster(name, angles=bool(orbits.periods), seed=seed), orbits)
    name = loss if loss == "cubic" else protocol.model
    how: Any = "derivative" if loss in (EXACT, "cubic") else loss
    return fit(Forecaster(name, hidden=(HIDDEN,), seed=seed), orbits, loss=how)


def _forecast(learned: Forecaster | FlowLike, truth: Orbit) -> Orbit:
    if isinstance(learned, Forecaster):
        return learned.forecast(truth.z[:, 0], truth.t, method="rk4", progress=False)
    found = integrate(learned, truth.z[:, 0], truth.t, "rk4", progress=False)
    return replace(found, coordinates=truth.coordinates, periods=truth.periods)
