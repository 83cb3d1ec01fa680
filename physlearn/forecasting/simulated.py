"""Forecasts of a simulated system: learn from some of its orbits, forecast others, and compare them with the truth."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from torch import Tensor

from physlearn import metrics
from physlearn.forecasting.contender import Contender, need_a_past
from physlearn.forecasting.forecaster import Forecaster
from physlearn.forecasting.report import Report
from physlearn.forecasting.trained import fit_all, forecast_all
from systems import HamiltonianSystem, InputError, Orbit, System

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENERGY = "energy error: largest |H - E| / |E| along an orbit; |E| is replaced by the energy exchanged if below 1 % of that"


PAST = "past: all forecasts start after {} states of each orbit, which models with memory continue; these have no derivative"


@dataclass(frozen=True)
class Protocol:
    """The orbits of a simulation: separate ones for training, validation and test.

    Parameters
    ----------
    training_orbits, validation_orbits
        Numbers of orbits to learn from and to validate on.
    samples
        Number of states of each of these orbits.
    dt
        Time between two states.
    test_orbits
        Number of orbits to forecast.
    time
        Duration of the forecasts.
    training_sample, test_sample
        Arguments of ``System.sample`` for the initial states.
    """

    training_orbits: int = 200
    validation_orbits: int = 40
    samples: int = 50
    dt: float = 0.1
    test_orbits: int = 24
    time: float = 100.0
    training_sample: Mapping[str, Any] = field(default_factory=dict)
    test_sample: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("training_orbits", "validation_orbits", "samples", "test_orbits", "dt", "time"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be positive, not {getattr(self, name)}")
        if self.time < self.dt:
            raise InputError(
                f"time={self.time:g} must be at least one step dt={self.dt:g}: give a longer time or a shorter dt"
            )


PROTOCOLS = {
    "henon-heiles": Protocol(time=200.0, training_sample={"energy_range": (0.02, 0.125)}, test_sample={"energy": 1 / 12}),
    "lorenz": Protocol(dt=0.02, time=20.0),
    "van-der-pol": Protocol(dt=0.05),
}


def protocol_of(system: System, **changes: Any) -> Protocol:
    """Return the protocol of the system, or the general one, with the changes that are not None."""
    return replace(PROTOCOLS.get(system.name, Protocol()), **{k: v for k, v in changes.items() if v is not None})


def forecast_system(
    system: System,
    contenders: Sequence[Contender],
    protocol: Protocol,
    *,
    seed: int = 0,
    progress: bool = True,
    training: Mapping[str, Any] | None = None,
    **network: Any,
) -> Report:
    """Train the models of the contenders, forecast the test orbits, and measure the errors.

    If one of them continues a measured past, all forecasts start later, after as many states as a training orbit has: this is
    the past.

    Parameters
    ----------
    system
        The true system.
    contenders
        Models and integrators.
    protocol
        Numbers and lengths of orbits.
    seed
        Random seed of the orbits, the initial weights and the order of the batches.
    progress
        Whether to show progress bars.
    training, network
        Settings of `~physlearn.forecasting.Forecaster.fit` and `~physlearn.forecasting.Forecaster`.
    """
    start = time.perf_counter()
    t = torch.arange(round(protocol.time / protocol.dt) + 1, dtype=torch.float64) * protocol.dt
    seeds = seeds_of(seed)
    learned, validation = learning_orbits(system, protocol, seed)
    z0 = system.sample(protocol.test_orbits, seed=seeds["test"], **protocol.test_sample)
    before = protocol.samples if need_a_past(contenders) else 0
    whole = system.orbit(z0, torch.arange(-before, len(t), dtype=torch.float64) * protocol.dt)
    past, truth, z0 = whole[..., : before + 1], whole[..., before:], whole.z[:, before]
    trained = fit_all(contenders, learned, validation, progress=progress, training=training or {}, seed=seed, **network)
    forecasts = forecast_all(contenders, trained, z0, t, past=past, progress=progress)
    horizon = metrics.truth_horizon(system, z0, t)
    rows = [_row("truth", truth, truth, system, system, horizon)]
    rows += [_row(c.label, forecasts[c.label], truth, system, trained.forecasters[c.model], horizon) for c in contenders]
    return Report(
        title=f"{system.name}: {protocol.test_orbits} held-out orbits over t = {protocol.time:g} in steps of {protocol.dt:g}",
        table=pd.DataFrame(rows).set_index("forecast"),
        truth=truth,
        forecasts=forecasts,
        trained=trained,
        settings={
            "system": system.name,
            "parameters": system.parameters,
            "protocol": asdict(protocol),
            "seed": seed,
            "sample_seeds": seeds,
            "contenders": [list(c) for c in contenders],
            "training": {name: asdict(f.training) for name, f in trained.forecasters.items() if f.training},
            "network": {**network, "parameters": {name: f.n_parameters for name, f in trained.forecasters.items()}},
        },
        seconds=time.perf_counter() - start,
        draw=partial(_drawn, system),
        notes=(
            "derivative loss: mean of (dz/dt - truth)^2 over samples and components of the test orbits",
            "valid time: time until the error exceeds 0.4 of the spread of the true orbit (rms over coordinates, each in "
            f"standard deviations); at most {protocol.time:g}, the length of the forecast",
            *([PAST.format(before)] if before else []),
            *([ENERGY] if isinstance(system, HamiltonianSystem) else []),
        ),
    )


def _drawn(system: System, report: Report) -> Figure:
    from physlearn.forecasting import picture  # importing Matplotlib is slow

    return picture.of_forecast(report, system)


def seeds_of(seed: int) -> dict[str, int]:
    """Return the seeds of the initial states of each part, which differ between all parts of all seeds."""
    return {part: 3 * seed + i for i, part in enumerate(("training", "validation", "test"))}


def learning_orbits(system: System, protocol: Protocol, seed: int) -> tuple[Orbit, Orbit]:
    """Return the training orbits and the validation orbits."""
    t = torch.arange(protocol.samples, dtype=torch.float64) * protocol.dt
    training, validation = (
        system.orbit(system.sample(n, seed=seeds_of(seed)[part], **protocol.training_sample), t)
        for n, part in ((protocol.training_orbits, "training"), (protocol.validation_orbits, "validation"))
    )
    return training, validation


def _is_flow(flow: System | Forecaster) -> bool:
    return not (isinstance(flow, Forecaster) and flow.memory)


def _row(label: str, orbit: Orbit, truth: Orbit, system: System, flow: System | Forecaster, horizon: Tensor) -> dict[str, Any]:
    valid = metrics.valid_prediction_time(orbit, truth, horizon=horizon)
    row: dict[str, Any] = {
        "forecast": label,
        "derivative_loss": float(metrics.derivative_loss(flow, truth)) if _is_flow(flow) else float("nan"),
        "valid_time_median": float(valid.median()),
        "valid_time_quartile": float(valid.quantile(0.25)),
        "phase_rmse_median": float(metrics.phase_rmse(orbit, truth).norm(dim=-1).median()),
    }
    for threshold in (0.1, 0.5):
        early = metrics.valid_prediction_time(orbit, truth, threshold=threshold, horizon=horizon)
        row[f"valid_time_median_at_{threshold}"] = float(early.median())
    if isinstance(system, HamiltonianSystem):
        error = metrics.energy_error(orbit, system)
        row["energy_error_median"] = float(error.median())
        row["energy_error_largest"] = float(error.max())
        if isinstance(flow, Forecaster) and hasattr(flow, "hamiltonian"):
            # a learned energy is known up to a constant, so shift it to agree with the true one at the start
            first = truth.z[:, :1]
            offset = system.hamiltonian(first) - flow.hamiltonian(first)
            learned = metrics.energy_error(orbit, lambda z: flow.hamiltonian(z) + offset)
            row["learned_energy_error_median"] = float(learned.median())
        row["energy_drift_median"] = float(metrics.energy_drift(orbit, system).median())
    elif system.dim == 2:
        row["period_median"] = float(metrics.period(orbit).nanmedian())
        row["amplitude_median"] = float(metrics.amplitude(orbit).nanmedian())
    return row
